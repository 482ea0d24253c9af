"""Suspects that a person has looked at and kept: they are not shown again, wherever their image moves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from tasks.artifacts.review import FoundSuspect, KeptLabel
from tasks.dataset.boxes import as_boxes, iou

# What is seen where a label is missing differs a little from one training to the next.
_SAME_PLACE_FROM = 0.5


def kept_of(suspect: FoundSuspect) -> KeptLabel:
    """What is remembered of a suspect that is kept."""
    xmin, ymin, xmax, ymax = (round(value) for value in suspect.box)
    return KeptLabel(image=suspect.sha256, kind=suspect.kind, class_=suspect.class_, box=(xmin, ymin, xmax, ymax))


def not_kept(suspects: Iterable[FoundSuspect], kept: Sequence[KeptLabel]) -> list[FoundSuspect]:
    """The suspects that nobody has kept, in their order.

    A label that was kept is right, whatever is suspected of it next time: it is known by the content of its image, its
    class and its box, rounded to pixels. Where no label is missing, none of that class is missing in a box with an IoU
    of 0.5 or more.
    """
    labels = {(each.image, each.class_, each.box) for each in kept if each.kind != "missing_box"}
    nothing = defaultdict(list)
    for each in kept:
        if each.kind == "missing_box":
            nothing[each.image, each.class_].append(each.box)

    def is_kept(suspect: FoundSuspect) -> bool:
        own = kept_of(suspect)
        if suspect.kind != "missing_box":
            return (own.image, own.class_, own.box) in labels
        boxes = nothing.get((own.image, own.class_), [])
        return bool(boxes) and bool(np.any(iou(as_boxes([suspect.box]), as_boxes(boxes)) >= _SAME_PLACE_FROM))

    return [suspect for suspect in suspects if not is_kept(suspect)]
