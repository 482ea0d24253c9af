"""The confusion matrix: every box and every detection above a score, in one matrix."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import iou
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.metrics.matching import FOUND_FROM, IOU_50, Matches


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix of a detector.

    Attributes:
        classes: K names; row and column K stand for the background.
        counts: `(K + 1, K + 1)`: row what was annotated, column what was detected there. A detection of nothing is in
            the last row, a box without detection in the last column; the corner is 0.
        images: of each cell that is not empty the images that are in it, in order, each once.
    """

    classes: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    images: dict[tuple[int, int], tuple[int, ...]]


def confusion(groundtruth: Dataset, detections: Sequence[Detections], matches: Matches, score: float) -> Confusion:
    """The matrix at a score and an IoU of 0.5; `matches` are those of `groundtruth` and `detections`.

    First each detection has the box of its class that COCO's matching gives it. Then what is left on both sides is
    paired whatever its class, the largest IoU first. Crowd boxes, and detections in them, are left out.
    """
    background = len(matches.classes)
    cells: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    kept = matches.score >= score
    true = kept & matches.matched[0, IOU_50] & ~matches.ignored[0, IOU_50]
    for one in np.flatnonzero(true).tolist():
        cells[int(matches.class_[one]), int(matches.class_[one])].append(int(matches.image[one]))
    free = ~matches.box_ignored[0]
    free[matches.box[IOU_50][true]] = False
    false = kept & ~matches.matched[0, IOU_50] & ~matches.ignored[0, IOU_50]
    boxes_of, false_of = _by_image(matches.box_image, free), _by_image(matches.image, false)
    for i in sorted(boxes_of.keys() | false_of.keys()):
        boxes, own = boxes_of.get(i, []), false_of.get(i, [])
        first = int(np.searchsorted(matches.box_image, i))
        overlaps = iou(
            detections[i].boxes[matches.source[own]], groundtruth.images[i].boxes[[box - first for box in boxes]]
        )
        for one, box in _pairs(overlaps):
            row = int(matches.box_class[boxes[box]]) if box >= 0 else background
            column = int(matches.class_[own[one]]) if one >= 0 else background
            cells[row, column].append(i)
    counts = np.zeros((background + 1, background + 1), dtype=np.int64)
    for cell, each in cells.items():
        counts[cell] = len(each)
    return Confusion(matches.classes, counts, {cell: tuple(sorted(set(each))) for cell, each in cells.items()})


def _by_image(image: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for index in np.flatnonzero(chosen):
        found[int(image[index])].append(int(index))
    return found


def _pairs(overlaps: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Rows and columns paired by IoU, the largest first; -1 stands for no partner. Each index comes once."""
    rows, columns = set(range(overlaps.shape[0])), set(range(overlaps.shape[1]))
    paired = []
    for place in np.argsort(-overlaps, axis=None, kind="stable"):
        row, column = (int(index) for index in np.unravel_index(place, overlaps.shape))
        if overlaps[row, column] < FOUND_FROM:
            break
        if row in rows and column in columns:
            rows.remove(row)
            columns.remove(column)
            paired.append((row, column))
    return paired + [(row, -1) for row in sorted(rows)] + [(-1, column) for column in sorted(columns)]
