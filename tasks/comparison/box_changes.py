"""What became of the boxes of one image: which were added, removed, moved, or given another class or flag.

A box has no id, so boxes are paired in this order, each at most once, and what stays without a partner was removed or
added:

1. equal coordinates: first with equal class and flags, then with equal class, then with another class,
2. overlapping boxes, by the assignment whose gains have the largest sum (`scipy.optimize.linear_sum_assignment`). The
   gain of a pair is its IoU, and half of it where the classes differ: a box that moved is preferred to a renamed one,
   unless it moved far.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from tasks.comparison.pairing import pair_in_rounds
from tasks.dataset.boxes import Corners, iou
from tasks.dataset.dataset import AnnotatedImage

BoxKind = Literal["added", "removed", "moved", "renamed", "flags"]
BOX_KINDS: tuple[BoxKind, ...] = get_args(BoxKind)

# From this IoU on, COCO's AP50 takes two boxes for the same place; a renamed box must be there.
_RENAMED_FROM = 0.5
# The IoU of a box with its copy half a width to the side and half a height down: beyond, the centre of one box is
# outside the other, and it has not moved but is another.
_MOVED_FROM = 1 / 7
# 2,000 boxes before and 2,000 after that all changed, in one image: 100 MB. Beyond, they count as removed and added.
_MOST_OVERLAPS = 4_000_000
# Boxes that a tool scaled together with their image are rounded to whole pixels.
_ROUNDING_PX = 1.0


@dataclass(frozen=True)
class Box:
    """One annotated box: its class, its corners (XYXY_ABS) and its flags."""

    class_: str
    corners: Corners
    difficult: bool = False
    iscrowd: bool = False

    @property
    def flags(self) -> tuple[bool, bool]:
        """`(difficult, iscrowd)`."""
        return self.difficult, self.iscrowd


@dataclass(frozen=True)
class BoxChange:
    """A box before and after; None where it does not exist.

    Both are in pixels of the later image: where the image was scaled, `before` is scaled with it.
    """

    before: Box | None
    after: Box | None

    @property
    def kinds(self) -> tuple[BoxKind, ...]:
        """What changed; a renamed box whose corners differ too counts as renamed only."""
        if self.before is None or self.after is None:
            return ("added",) if self.before is None else ("removed",)
        found: list[BoxKind] = []
        if self.before.class_ != self.after.class_:
            found.append("renamed")
        elif self.before.corners != self.after.corners:
            found.append("moved")
        if self.before.flags != self.after.flags:
            found.append("flags")
        return tuple(found)


def boxes_of(image: AnnotatedImage) -> list[Box]:
    """The boxes of `image`, in their order."""
    rows = zip(image.classes, image.boxes.tolist(), image.difficult.tolist(), image.iscrowd.tolist(), strict=True)
    return [Box(name, tuple(corners), difficult, iscrowd) for name, corners, difficult, iscrowd in rows]


def box_changes(before: AnnotatedImage, after: AnnotatedImage) -> list[BoxChange]:
    """What differs between the boxes of one image before and after: first by the order of `before`, then what is new.

    Empty where nothing differs; another order of the same boxes is no difference.
    """
    if _same_objects(before, after):
        return []
    is_scaled = (before.width, before.height) != (after.width, after.height) and _has_size(before, after)
    old = boxes_of(before.at_size(after.width, after.height) if is_scaled else before)
    new = boxes_of(after)
    partner = dict(pair_in_rounds([_keys(box) for box in old], [_keys(box) for box in new]))
    partner |= _overlapping(old, new, partner)
    if is_scaled:
        old = [_without_rounding(box, new[partner[i]]) if i in partner else box for i, box in enumerate(old)]
    changes = [BoxChange(box, new[partner[i]] if i in partner else None) for i, box in enumerate(old)]
    taken = set(partner.values())
    changes += [BoxChange(None, box) for j, box in enumerate(new) if j not in taken]
    return [change for change in changes if change.kinds]


def _same_objects(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    return (
        one.classes == other.classes
        and (one.width, one.height) == (other.width, other.height)
        and np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.difficult, other.difficult)
        and np.array_equal(one.iscrowd, other.iscrowd)
    )


def _has_size(*images: AnnotatedImage) -> bool:
    return all(min(image.width, image.height) > 0 for image in images)


def _keys(box: Box) -> tuple[object, ...]:
    return (box.corners, box.class_, box.flags), (box.corners, box.class_), box.corners


def _overlapping(old: Sequence[Box], new: Sequence[Box], partner: dict[int, int]) -> dict[int, int]:
    """New pairs among the boxes that `partner` leaves free."""
    taken = set(partner.values())
    first = [i for i in range(len(old)) if i not in partner]
    second = [j for j in range(len(new)) if j not in taken]
    if not first or not second or len(first) * len(second) > _MOST_OVERLAPS:
        return {}
    with np.errstate(invalid="ignore", over="ignore"):  # a file from elsewhere may hold infinite boxes
        overlap = iou(_corners(old, first), _corners(new, second))
        is_same_class = _classes(old, first)[:, None] == _classes(new, second)[None, :]
        is_enough = overlap >= np.where(is_same_class, _MOVED_FROM, _RENAMED_FROM)
    gain = np.where(is_enough, np.where(is_same_class, overlap, overlap / 2), 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {first[i]: second[j] for i, j in zip(rows, columns, strict=True) if gain[i, j] > 0}


def _corners(boxes: Sequence[Box], places: Sequence[int]) -> npt.NDArray[np.float64]:
    return np.array([boxes[i].corners for i in places], dtype=np.float64)


def _classes(boxes: Sequence[Box], places: Sequence[int]) -> npt.NDArray[np.object_]:
    return np.array([boxes[i].class_ for i in places], dtype=object)


def _without_rounding(scaled: Box, after: Box) -> Box:
    """`scaled` with the corners of `after` where only rounding differs."""
    apart = max(abs(one - other) for one, other in zip(scaled.corners, after.corners, strict=True))
    return Box(scaled.class_, after.corners, *scaled.flags) if apart <= _ROUNDING_PX else scaled
