"""What a detector is, and what it says about one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tasks.annotation.boxes import Boxes


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
