"""Test images with their groundtruth and detections: what is drawn over a thumbnail, and what was found and missed."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.annotation.boxes import Boxes, area, iou
from tasks.annotation.dataset import AnnotatedImage
from tasks.annotation.detections import Detections

_MATCH_IOU = 0.5


@dataclass(frozen=True)
class Mark:
    """One box as the page draws it: its corner and sides in pixels of the image.

    Attributes:
        outcome: of a detection: `found`, `false`, or `ignored` inside a crowd; of groundtruth: `found`, `missed` or
            `crowd`.
        score: of a detection; of groundtruth that was found: its detection's.
    """

    x: float
    y: float
    width: float
    height: float
    name: str
    colour: str
    outcome: str
    score: float


@dataclass(frozen=True)
class Shot:
    """One image of the gallery.

    Attributes:
        picture: base64 of a JPEG; empty where the file could not be read.
        objects: boxes to be found, crowds left out.
    """

    file_name: str
    width: int
    height: int
    picture: str
    groundtruth: tuple[Mark, ...]
    detections: tuple[Mark, ...]
    objects: int

    @property
    def found(self) -> int:
        """Objects with a detection of their class."""
        return sum(mark.outcome == "found" for mark in self.detections)

    @property
    def missed(self) -> int:
        """Objects without."""
        return self.objects - self.found

    @property
    def false(self) -> int:
        """Detections of nothing, of another class, or of an object already found."""
        return sum(mark.outcome == "false" for mark in self.detections)


def spread(total: int, wanted: int) -> list[int]:
    """At most `wanted` indices of `total`, evenly from the first to the last."""
    return [int(i) for i in np.unique(np.linspace(0, total - 1, min(wanted, total)).round())] if wanted > 0 else []


def shot(image: AnnotatedImage, detections: Detections, colours: Mapping[str, str], jpeg: bytes | None) -> Shot:
    """The gallery's entry for one image; `detections` are those to be shown, the highest score first."""
    matches = match(image, detections)
    score_of = {matched: float(detections.scores[i]) for i, (_, matched) in enumerate(matches) if matched is not None}
    truth = tuple(
        _mark(image.boxes[i], name, "", _fate(image, i, score_of), score_of.get(i, 0.0))
        for i, name in enumerate(image.classes)
    )
    found = tuple(
        _mark(detections.boxes[i], name, colours.get(name, "#ffffff"), matches[i][0], float(detections.scores[i]))
        for i, name in enumerate(detections.classes)
    )
    return Shot(
        file_name=image.file_name,
        width=max(1, image.width),
        height=max(1, image.height),
        picture="" if jpeg is None else base64.b64encode(jpeg).decode("ascii"),
        groundtruth=truth,
        detections=found,
        objects=int((~image.iscrowd).sum()),
    )


def match(image: AnnotatedImage, detections: Detections) -> list[tuple[str, int | None]]:
    """For each detection `("found", index of its object)`, `("false", None)` or `("ignored", None)`.

    As COCO does: in the order of their scores, each takes the free object of its class with the highest IoU of at
    least 0.5; one that lies at least half inside a crowd of its class is ignored. Leaving out the lowest scores
    therefore changes nothing for the others.
    """
    overlaps = iou(detections.boxes, image.boxes)
    in_crowd = _inside(detections.boxes, image.boxes)
    same = np.array([[name == other for other in image.classes] for name in detections.classes], dtype=bool)
    same = same.reshape(overlaps.shape)
    free = ~image.iscrowd
    matches: list[tuple[str, int | None]] = [("false", None)] * len(detections.classes)
    for i in np.argsort(-detections.scores, kind="stable"):
        candidates = np.where(free & same[i] & (overlaps[i] >= _MATCH_IOU), overlaps[i], 0.0)
        if candidates.any():
            taken = int(candidates.argmax())
            free[taken] = False
            matches[i] = ("found", taken)
        elif (image.iscrowd & same[i] & (in_crowd[i] >= _MATCH_IOU)).any():
            matches[i] = ("ignored", None)
    return matches


def _fate(image: AnnotatedImage, i: int, found: Mapping[int, float]) -> str:
    if image.iscrowd[i]:
        return "crowd"
    return "found" if i in found else "missed"


def _inside(boxes: Boxes, regions: Boxes) -> npt.NDArray[np.float64]:
    """`(N, M)`: how much of each box lies in each region, in 0..1."""
    top_left = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    sides = np.clip(np.minimum(boxes[:, None, 2:], regions[None, :, 2:]) - top_left, 0.0, None)
    covered = sides[..., 0] * sides[..., 1]
    whole = np.broadcast_to(area(boxes)[:, None], covered.shape)
    return np.asarray(np.divide(covered, whole, out=np.zeros_like(covered), where=whole > 0))


def _mark(box: Boxes, name: str, colour: str, outcome: str, score: float) -> Mark:
    xmin, ymin, xmax, ymax = (round(float(value), 1) for value in box)
    sides = (round(max(0.0, xmax - xmin), 1), round(max(0.0, ymax - ymin), 1))
    return Mark(xmin, ymin, *sides, name, colour, outcome, score)
