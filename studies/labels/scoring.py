"""Which planted mistakes a ranked list of suspects names."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from studies.labels.planting import Planted
from tasks.dataset.boxes import Corners, as_boxes, iou

# A box that is seen where a label was dropped.
_SEEN_FROM = 0.5
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
