"""What can be wrong with the boxes of one image, and mending it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tasks.annotation.boxes import Boxes, as_boxes, clip
from tasks.annotation.dataset import AnnotatedImage, Problem
from tasks.annotation.problem_kinds import object_name


@dataclass(frozen=True)
class CheckedImage:
    """An image with the boxes that passed, and what was wrong with the others.

    Attributes:
        image: all of its boxes are finite, inside the image and at least `min_side_px` wide and high.
        problems: in the order of the objects.
    """

    image: AnnotatedImage
    problems: tuple[Problem, ...]


class _Fault(NamedTuple):
    """`fixed` is the mended box, `(1, 4)`, or None where there is no mending it."""

    kind: str
    detail: str
    fixed: Boxes | None = None


def check_boxes(image: AnnotatedImage, file: str, *, fix: bool, min_side_px: float) -> CheckedImage:
    """Check each box of `image`, whose width and height must be known; mend it, or drop it, or drop it unless `fix`.

    `file` is what the problems name. A box has one problem at most, so that problems count boxes: the first fault that
    was mended, or the one it was dropped for; the detail tells of all.
    """
    boxes: list[Boxes] = []
    kept = np.zeros(len(image.classes), dtype=bool)
    problems: list[Problem] = []
    seen: set[tuple[str, tuple[float, ...]]] = set()
    for i, name in enumerate(image.classes):
        box, faults = _mended(image.boxes[i : i + 1], image, fix=fix, min_side_px=min_side_px)
        if box is not None and (name, tuple(box[0].tolist())) in seen:
            box, faults = None, [*faults, _Fault("duplicate_box", "the same box and class as an object before it")]
        if faults:
            kind, action = (faults[0].kind, "fixed_box") if box is not None else (faults[-1].kind, "dropped_box")
            said = "; ".join(fault.detail for fault in faults)
            detail = f"{object_name(i + 1, name)} {_shown(image.boxes[i])}: {said}"
            problems.append(Problem(kind, file, detail, action))
        if box is not None:
            boxes.append(box)
            kept[i] = True
            seen.add((name, tuple(box[0].tolist())))
    passed = replace(image.keep(kept), boxes=np.concatenate(boxes) if boxes else as_boxes([]))
    return CheckedImage(passed, tuple(problems))


def _mended(box: Boxes, image: AnnotatedImage, *, fix: bool, min_side_px: float) -> tuple[Boxes | None, list[_Fault]]:
    """The box after mending what can be mended, None where it must go; and its faults, the deadly one last."""
    faults: list[_Fault] = []
    for find in (_unreadable, _inverted, _outside, _partly_outside):
        fault = find(box, image)
        if fault is not None:
            faults.append(fault)
            if fault.fixed is None or not fix:
                return None, faults
            box = fault.fixed
    sides = box[0, 2:] - box[0, :2]
    if sides.min() <= 0 or sides.min() < min_side_px:
        return None, [*faults, _Fault("tiny_box", f"{sides[0]:g} x {sides[1]:g} px are left of it")]
    return box, faults


def _unreadable(box: Boxes, _: AnnotatedImage) -> _Fault | None:
    return None if np.isfinite(box).all() else _Fault("unreadable_object", "a coordinate is no finite number")


def _inverted(box: Boxes, _: AnnotatedImage) -> _Fault | None:
    if (box[0, 2:] >= box[0, :2]).all():
        return None
    corners = box.reshape(2, 2)
    swapped = np.concatenate([corners.min(axis=0), corners.max(axis=0)])[None]
    return _Fault("inverted_box", "its second corner is left of or above its first", swapped)


def _outside(box: Boxes, image: AnnotatedImage) -> _Fault | None:
    size = np.array([image.width, image.height])
    if (box[0, :2] < size).all() and (box[0, 2:] > 0).all():
        return None
    return _Fault("box_outside_image", f"no part of it is inside the {image.width} x {image.height} image")


def _partly_outside(box: Boxes, image: AnnotatedImage) -> _Fault | None:
    inside = clip(box, width=image.width, height=image.height)
    if np.array_equal(inside, box):
        return None
    return _Fault("box_partly_outside", f"it leaves the {image.width} x {image.height} image", inside)


def _shown(box: Boxes) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"
