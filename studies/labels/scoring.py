"""Which planted mistakes a ranked list of suspects names; and thresholds of ObjectLab's that fit the detections."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from studies.labels.planting import Planted
from tasks.dataset.boxes import Corners, as_boxes, iou

# A box that is seen where a label was dropped.
_SEEN_FROM = 0.5
# Of the score of a sure detection, what still says something to ObjectLab.
_LOW_SHARE = 0.2
# Boxes go through files as numbers with few digits.
_EQUAL_PX = 1.0


class Named(NamedTuple):
    """A suspect of any method.

    Attributes:
        image: its place in the data set.
        box, class_name: of the label; of what is seen, where a label is missing.
        is_missing: whether a label is missing there.
    """

    image: int
    box: Corners
    class_name: str
    is_missing: bool


class Score(NamedTuple):
    """How many planted mistakes are found by the last place of the list at which half of the suspects are right.

    Attributes:
        recall: of all planted mistakes, in 0..1.
        suspects: how many a person looks at up to that place.
        found: by kind.
    """

    recall: float
    suspects: int
    found: dict[str, int]


def score(suspects: Iterable[Named], planted: Sequence[Planted], precision: float) -> Score:
    """The recall at `precision`: at the longest part of the ranked list of which so many suspects are right.

    A suspect is right where it names a planted mistake, whatever it takes it for; naming one again is wrong.
    """
    found: list[int] = []
    best, length = 0, 0
    for number, suspect in enumerate(suspects, start=1):
        hit = next((i for i, own in enumerate(planted) if i not in found and _names(suspect, own)), None)
        if hit is not None:
            found.append(hit)
            if len(found) >= precision * number:
                best, length = len(found), number
    kinds = Counter(planted[i].kind for i in found[:best])
    return Score(best / len(planted) if planted else 0.0, length, dict(sorted(kinds.items())))


def _names(suspect: Named, planted: Planted) -> bool:
    if suspect.image != planted.image or suspect.is_missing != (planted.kind == "dropped"):
        return False
    if suspect.is_missing:
        return bool(iou(as_boxes([suspect.box]), as_boxes([planted.box]))[0, 0] >= _SEEN_FROM)
    return suspect.class_name == planted.class_name and bool(np.allclose(suspect.box, planted.box, atol=_EQUAL_PX))


def fitted_thresholds(
    labels: Sequence[dict[str, Any]], predictions: Sequence[Sequence[Sequence[Sequence[float]]]]
) -> tuple[float, float] | None:
    """Low and high: high is what half of the labels' own detections reach, low a fifth of it; None without any.

    Args:
        labels: of each image `bboxes`, `(L, 4)` XYXY_ABS, and `labels`, `(L,)` numbers of classes.
        predictions: of each image and class, rows of XYXY_ABS and score.
    """
    best: list[float] = []
    for own, by_class in zip(labels, predictions, strict=True):
        numbers = np.array(own["labels"], int)
        for number, rows in enumerate(by_class):
            found = np.array(rows, float).reshape(-1, 5)
            boxes = as_boxes(own["bboxes"])[numbers == number]
            scores = np.where(iou(boxes, found[:, :4]) >= _SEEN_FROM, found[:, 4], -1.0).max(axis=1, initial=-1.0)
            best += scores[scores >= 0].tolist()
    high = float(np.median(best)) if best else None
    return None if high is None else (_LOW_SHARE * high, high)
