"""How an image of any size comes onto the input of a detector (its canvas): stretched, or with its proportions kept."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resizer:
    """The size that an image is resized to before the detector sees it: a fixed one, or one that keeps its proportions.

    Attributes:
        width, height: the fixed size in pixels; 0 where proportions are kept.
        min_side, max_side: where they are kept, the shorter side becomes `min_side` pixels, but the longer one at most
            `max_side`.
    """

    width: int = 0
    height: int = 0
    min_side: int = 0
    max_side: int = 0

    @property
    def keeps_proportions(self) -> bool:
        """Whether the image lies in the canvas's top left corner, and the rest is black."""
        return not self.width

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width of the input, in pixels."""
        return (self.max_side, self.max_side) if self.keeps_proportions else (self.height, self.width)

    def scales(self, width: int, height: int) -> tuple[float, float]:
        """The factors by which an image of `width` x `height` pixels is scaled, across and down."""
        if not self.keeps_proportions:
            return self.width / width, self.height / height
        factor = min(self.min_side / min(width, height), self.max_side / max(width, height))
        return factor, factor

    def __str__(self) -> str:
        if not self.keeps_proportions:
            return f"{self.width} x {self.height} px"
        if self.min_side == self.max_side:
            return f"{self.max_side} x {self.max_side} px (proportions kept)"
        return f"sides of {self.min_side} to {self.max_side} px"
