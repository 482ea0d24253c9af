"""What can be wrong with the boxes of one image, and how a box is fixed."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tasks.dataset.boxes import Boxes, area, as_boxes, clip, corners
from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.dataset.problem_kinds import object_name
from tasks.gate.policy import Policy
from tasks.model.resizer import Resizer

# A box of this share of its image is more often a slip than an object.
_COVERING_SHARE = 0.99
# What rounding can add to a corner: COCO files often have two decimals; YOLO's six are as much on 10,000 pixels.
_ROUNDING_PX = 0.01
# Half the finest stride of the models here, 8 pixels: smaller things leave next to nothing in the first feature map.
_MIN_PX_AT_INPUT = 4.0


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
    """`fixed` is the box after a repair, `(1, 4)`, or None where none is possible."""

    kind: str
    detail: str
    fixed: Boxes | None = None


@dataclass(frozen=True)
class BoxLimits:
    """What boxes are measured against.

    Attributes:
        min_side_px: a box narrower or lower than this is `tiny_box`.
        resizer: how images come on the model's input; None where it is not known.
    """

    min_side_px: float
    resizer: Resizer | None


def check_boxes(image: AnnotatedImage, file: str, policy: Policy, limits: BoxLimits) -> CheckedImage:
    """Check each box of `image`, whose width and height must be known, and keep, fix or drop it as `policy` says.

    `file` is what the problems name. A box has one problem at most, so that problems count boxes: the one it was
    dropped for, or the first that was fixed, or the first that was kept; the detail lists all of its faults.
    """
    boxes: list[Boxes] = []
    kept = np.zeros(len(image.classes), dtype=bool)
    problems: list[Problem] = []
    seen: set[tuple[str, tuple[float, ...]]] = set()
    for i, name in enumerate(image.classes):
        box, faults = _fix_box(_without_rounding(image.boxes[i : i + 1], image), image, policy, limits)
        if box is not None and (name, tuple(box[0].tolist())) in seen:
            faults = [*faults, _Fault("duplicate_box", "it has the box and the class of an object before it")]
            box = box if policy.action("duplicate_box") == "keep" else None
        if faults:
            problem = _problem(faults, box, file, f"{object_name(i + 1, name)} {_box_text(image.boxes[i])}")
            problems.append(replace(problem, box=corners(image.boxes[i])))
        if box is not None:
            boxes.append(box)
            kept[i] = True
            seen.add((name, tuple(box[0].tolist())))
    passed = replace(image.keep(kept), boxes=np.concatenate(boxes) if boxes else as_boxes([]))
    return CheckedImage(passed, tuple(problems))


def _without_rounding(box: Boxes, image: AnnotatedImage) -> Boxes:
    """The box, cut at the image's edges where rounding alone moved it beyond them: not a problem to report."""
    inside = clip(box, width=image.width, height=image.height)
    excess = np.round(np.abs(box - inside), 6)
    return np.where(excess <= _ROUNDING_PX, inside, box)


def _problem(faults: list[_Fault], box: Boxes | None, file: str, what: str) -> Problem:
    fixed = [fault for fault in faults if fault.fixed is not None]
    if box is None:
        kind, action = faults[-1].kind, "dropped_box"
    else:
        kind, action = (fixed[0].kind, "fixed_box") if fixed else (faults[0].kind, "kept")
    return Problem(kind, file, f"{what}: {'; '.join(fault.detail for fault in faults)}", action)


def _fix_box(box: Boxes, image: AnnotatedImage, policy: Policy, limits: BoxLimits) -> tuple[Boxes | None, list[_Fault]]:
    """The box as the policy leaves it, None where it is dropped; and its faults, the one it is dropped for last."""
    faults: list[_Fault] = []
    for find in _FINDERS:
        fault = find(box, image, limits)
        if fault is None:
            continue
        faults.append(fault)
        action = policy.action(fault.kind)
        if action == "fix" and fault.fixed is not None:
            box = fault.fixed
        elif action != "keep":
            return None, faults
    return box, faults


def _find_unreadable(box: Boxes, _: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    return None if np.isfinite(box).all() else _Fault("unreadable_object", "a coordinate is not a finite number")


def _find_normalised(box: Boxes, image: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    """Fractions of the image where pixels are meant; whole numbers may be a box of one pixel."""
    if box.min() < 0 or box.max() > 1 or (box == np.round(box)).all():
        return None
    size = np.array([image.width, image.height, image.width, image.height])
    return _Fault("normalised_box", "its coordinates are fractions of the image, not pixels", box * size)


def _find_inverted(box: Boxes, _: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    if (box[0, 2:] >= box[0, :2]).all():
        return None
    corners = box.reshape(2, 2)
    swapped = np.concatenate([corners.min(axis=0), corners.max(axis=0)])[None]
    return _Fault("inverted_box", "its second corner is left of or above its first", swapped)


def _find_outside(box: Boxes, image: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    size = np.array([image.width, image.height])
    if (box[0, :2] < size).all() and (box[0, 2:] > 0).all():
        return None
    return _Fault("box_outside_image", f"it lies outside the {image.width} x {image.height} image")


def _find_partly_outside(box: Boxes, image: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    inside = clip(box, width=image.width, height=image.height)
    if np.array_equal(inside, box):
        return None
    return _Fault("box_partly_outside", f"it extends beyond the {image.width} x {image.height} image", inside)


def _find_tiny(box: Boxes, _: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    sides = box[0, 2:] - box[0, :2]
    if sides.min() > 0 and sides.min() >= limits.min_side_px:
        return None
    return _Fault("tiny_box", f"its size in the image is {sides[0]:g} x {sides[1]:g} px")


def _find_covering(box: Boxes, image: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    share = area(box)[0] / (image.width * image.height)
    return _Fault("box_covers_image", f"it covers {share:.1%} of the image") if share >= _COVERING_SHARE else None


def _find_below_resolution(box: Boxes, image: AnnotatedImage, limits: BoxLimits) -> _Fault | None:
    """Whether the model's input, to which images are scaled, leaves less of the box than a stride can hold."""
    if limits.resizer is None:
        return None
    sides = (box[0, 2:] - box[0, :2]) * limits.resizer.scales(image.width, image.height)
    if sides.min() >= _MIN_PX_AT_INPUT:
        return None
    detail = f"its size is {sides[0]:.1f} x {sides[1]:.1f} px at the model's input of {limits.resizer}"
    return _Fault("box_below_resolution", detail)


def _box_text(box: Boxes) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"


# In this order: a finder may rely on what those before it have ruled out or fixed.
_FINDERS = (
    _find_unreadable,
    _find_normalised,
    _find_inverted,
    _find_outside,
    _find_partly_outside,
    _find_tiny,
    _find_covering,
    _find_below_resolution,
)
