"""What a detector is, what it finds in one image, and how many images it is given at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes

T = TypeVar("T")
# While the detector runs, a pixel takes 22 bytes: 4 in Pillow's image, 3 in an array, 3 in the batch that it is stacked
# into, 12 as the floats that the exported model resizes from. That many take 1.1 GB; 8 photos of 20 megapixels, 3.5 GB.
MOST_PIXELS = 50_000_000


@dataclass(frozen=True)
class Detections:
    """Detections in one image, highest score first.

    Attributes:
        boxes: `(N, 4)` XYXY_ABS in pixels of the image as stored.
        classes: N class names.
        scores: `(N,)` float64 in 0..1.
    """

    boxes: Boxes
    classes: tuple[str, ...]
    scores: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.classes)
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,):
            raise ValueError(
                f"expected boxes ({n}, 4) and scores ({n},), but got {self.boxes.shape} and {self.scores.shape}"
            )

    def above(self, score_threshold: float) -> "Detections":
        """Those with a score of at least `score_threshold`."""
        mask = self.scores >= score_threshold
        names = tuple(name for name, kept in zip(self.classes, mask, strict=True) if kept)
        return Detections(self.boxes[mask], names, self.scores[mask])


class Detector(Protocol):
    """Anything that finds objects in images."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label-map order."""

    def detect(self, images: Sequence[npt.NDArray[np.uint8]]) -> list[Detections]:
        """Detections for each uint8 `(H, W, 3)` RGB image, in pixels of that image; sizes may differ."""


def batches(
    items: Iterable[T], size: int, pixels: Callable[[T], int], most_pixels: int = MOST_PIXELS
) -> Iterator[list[T]]:
    """`items` in their order, up to `size` together with up to `most_pixels` pixels; a larger one comes alone.

    No list is kept here after it was yielded: memory that the caller releases is free.
    """
    batch: list[T] = []
    held = 0
    for item in items:
        if batch and (len(batch) == size or held + pixels(item) > most_pixels):
            yield _pop_all(batch)
            held = 0
        batch.append(item)
        held += pixels(item)
    if batch:
        yield _pop_all(batch)


def _pop_all(batch: list[T]) -> list[T]:
    """What was in `batch`, which is empty afterwards."""
    content = batch.copy()
    batch.clear()
    return content
