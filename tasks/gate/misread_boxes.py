"""Boxes of a whole data set that were written in another convention than the one they were read in.

Each check reads the boxes another way. Where a good part of them is impossible as read, and nearly all fit their images
read the other way, the run should stop: cutting such boxes at the edges would leave every one of them wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, corners, from_xywh, to_xywh
from tasks.dataset.dataset import AnnotatedImage, Problem

# Fewer boxes prove nothing.
_MIN_BOXES, _MIN_MISFITS = 5, 3
# Of whole data sets read in a wrong convention, a tenth to a half of the boxes leave their images; of three real ones
# at most 0.3 % do. Past the edge by less than this share of the image's side: that is drawing by hand.
_MISFITS_FROM, _PAST_EDGE = 0.1, 0.02
# One box in fifty may be wrong by itself.
_FITS_FROM = 0.98
# Corners that read as sizes: inverted in many images.
_INVERTED_FROM, _INSIDE_FROM = 0.2, 0.95

Sizes = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Reading:
    """Another way to read boxes.

    Attributes:
        name: what the numbers of a box are then, and how they were read.
        files: the ends of the names of annotation files that are read in the way of which this is the mistake.
        apply: from `(N, 4)` corners as they were read to corners as they are meant, both in pixels.
    """

    name: str
    files: tuple[str, ...]
    apply: Callable[[Boxes], Boxes]


def _centre_size(boxes: Boxes) -> Boxes:
    """`[centre x, centre y, width, height]` of `(N, 4)` corners."""
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def _from_centre_size(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


def _swap_axes(boxes: Boxes) -> Boxes:
    return boxes[:, [1, 0, 3, 2]]


_CORNERS, _TOP_LEFT, _CENTRE = (".xml", ".csv"), (".json",), (".txt",)
_READINGS = (
    _Reading("corners (xmin, ymin, xmax, ymax), not x, y, width, height", _TOP_LEFT, to_xywh),
    _Reading(
        "centre x, centre y, width, height, not the top left corner and the size",
        _TOP_LEFT,
        lambda boxes: _from_centre_size(to_xywh(boxes)),
    ),
    _Reading("corners (xmin, ymin, xmax, ymax), not centre x, centre y, width, height", _CENTRE, _centre_size),
    _Reading(
        "the top left corner and the size, not centre x, centre y, width, height",
        _CENTRE,
        lambda boxes: from_xywh(_centre_size(boxes)),
    ),
    _Reading("centre x, centre y, width, height, not corners", _CORNERS, _from_centre_size),
    _Reading("y before x", (*_CORNERS, *_TOP_LEFT, *_CENTRE), _swap_axes),
)


def find_misread_boxes(images: Sequence[AnnotatedImage], file: str) -> list[Problem]:
    """One problem for each way of reading in which boxes fit their images far better; image sizes must be known.

    Files of one kind are judged together: all XML, all JSON, all CSV or all YOLO files of the data set.
    """
    problems = find_xywh_boxes(images, file)
    for ends in (_CORNERS, _TOP_LEFT, _CENTRE):
        of_kind = [image for image in images if len(image.boxes) and _annotation_file(image).endswith(ends)]
        problem = _find_better_reading(of_kind, ends, file) if not problems else None
        problems += [problem] if problem else []
    return problems


def find_xywh_boxes(images: Sequence[AnnotatedImage], file: str) -> list[Problem]:
    """One problem where boxes look like x, y, width, height; image sizes must be known."""
    annotated = [image for image in images if len(image.boxes)]
    if sum(len(image.boxes) for image in annotated) < _MIN_BOXES:
        return []
    boxes, sizes = _boxes_and_sizes(annotated)
    ends_before = np.any(boxes[:, 2:] < boxes[:, :2], axis=1)
    inverted = ends_before.mean()
    inside = (boxes[:, :2] + boxes[:, 2:] <= sizes + 1).all(axis=1).mean()
    if inverted < _INVERTED_FROM or inside < _INSIDE_FROM:
        return []
    detail = (
        f"{inverted:.0%} of {len(boxes)} boxes end left of or above where they start; "
        f"read as x, y, width, height, {inside:.0%} lie inside their images"
    )
    image, first = _first(annotated, ends_before)
    return [Problem("boxes_look_like_xywh", file, detail, "kept", _path(image, file), corners(first))]


def _find_better_reading(images: Sequence[AnnotatedImage], ends: tuple[str, ...], file: str) -> Problem | None:
    if sum(len(image.boxes) for image in images) < _MIN_BOXES:
        return None
    boxes, sizes = _boxes_and_sizes(images)
    misfits = ~_fits(boxes, sizes)
    if misfits.sum() < _MIN_MISFITS or misfits.mean() < _MISFITS_FROM:
        return None
    readings = [reading for reading in _READINGS if set(ends) <= set(reading.files)]
    fitting = [_fits(reading.apply(boxes), sizes).mean() for reading in readings]
    best = int(np.argmax(fitting))
    if fitting[best] < _FITS_FROM:
        return None
    detail = (
        f"{misfits.mean():.0%} of {len(boxes)} boxes leave their images or have no size; "
        f"read as {readings[best].name}, {fitting[best]:.0%} lie inside their images"
    )
    image, first = _first(images, misfits)
    return Problem("boxes_look_misread", file, detail, "kept", _path(image, file), corners(first))


def _fits(boxes: Boxes, sizes: Sizes) -> npt.NDArray[np.bool_]:
    """Which of `(N, 4)` boxes have a size and lie inside images of `(N, 2)` sizes, as far as a hand draws exactly."""
    past = sizes * _PAST_EDGE
    inside = (boxes[:, :2] >= -past) & (boxes[:, 2:] <= sizes + past)
    return np.asarray((inside & (boxes[:, 2:] > boxes[:, :2])).all(axis=1))


def _boxes_and_sizes(images: Sequence[AnnotatedImage]) -> tuple[Boxes, Sizes]:
    """`(N, 4)` boxes of all images, and the `(N, 2)` width and height of each box's image, in pixels."""
    boxes = np.concatenate([image.boxes for image in images])
    return boxes, np.concatenate([np.tile((float(i.width), float(i.height)), (len(i.boxes), 1)) for i in images])


def _first(images: Sequence[AnnotatedImage], chosen: npt.NDArray[np.bool_]) -> tuple[AnnotatedImage, Boxes]:
    """The image and the `(4,)` box of the first of all boxes that is chosen."""
    number = int(np.argmax(chosen))
    for image in images:
        if number < len(image.boxes):
            return image, image.boxes[number]
        number -= len(image.boxes)
    raise IndexError(number)


def _annotation_file(image: AnnotatedImage) -> str:
    """The name of its annotation file, without the number of a line."""
    return PurePosixPath(image.source).name.rpartition(":")[0] or PurePosixPath(image.source).name


def _path(image: AnnotatedImage, root: str) -> str:
    return (PurePosixPath(root) / image.file_name).as_posix()
