"""What a format cannot hold of a data set, counted before it is written."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tasks.dataset.boxes import clip
from tasks.dataset.dataset import Dataset
from tasks.formats.given_splits import split_by_folder


class _Loss(NamedTuple):
    """Something that some formats do not hold: which formats, how much of it a data set has, and what is lost."""

    formats: tuple[str, ...]
    count: Callable[[Dataset], int]
    sentence: str


def losses(dataset: Dataset, to: str) -> list[str]:
    """One line, with its count, for each thing in `dataset` that the format `to` does not hold."""
    counts = [(loss.count(dataset), loss.sentence) for loss in _LOSSES if to in loss.formats]
    return [f"not held by {to}: {sentence.format(count)}" for count, sentence in counts if count]


def _crowd_boxes(dataset: Dataset) -> int:
    return sum(int(image.iscrowd.sum()) for image in dataset.images)


def _difficult_boxes(dataset: Dataset) -> int:
    return sum(int(image.difficult.sum()) for image in dataset.images)


def _unused_classes(dataset: Dataset) -> int:
    return sum(count == 0 for count in dataset.box_counts().values())


def _reordered_classes(dataset: Dataset) -> int:
    return len(dataset.classes) if list(dataset.classes) != sorted(dataset.classes) else 0


def _finer_corners(dataset: Dataset) -> int:
    return sum(int((np.round(image.boxes, 6) != image.boxes).any(axis=1).sum()) for image in dataset.images)


def _outside_boxes(dataset: Dataset) -> int:
    clipped = [clip(image.boxes, width=image.width, height=image.height) for image in dataset.images]
    return sum(
        int((inside != image.boxes).any(axis=1).sum()) for inside, image in zip(clipped, dataset.images, strict=True)
    )


def _empty_images(dataset: Dataset) -> int:
    return sum(not image.classes for image in dataset.images)


def _sliced_images(dataset: Dataset) -> int:
    return sum(bool(image.slices) for image in dataset.images)


def _splits_without_folder(dataset: Dataset) -> int:
    return sum(split_by_folder(Path(image.file_name)) != image.given_split for image in dataset.images)


_LOSSES = (
    _Loss(("voc", "csv", "yolo"), _crowd_boxes, "iscrowd of {} boxes, which are written as ordinary ones"),
    _Loss(("csv", "yolo"), _difficult_boxes, "difficult of {} boxes, which are written as ordinary ones"),
    _Loss(("voc", "yolo"), _splits_without_folder, "the author's split of {} images, which their folders do not name"),
    _Loss(("voc", "csv", "yolo"), _sliced_images, "what is said of {} whole images, such as their camera"),
    _Loss(("voc", "csv"), _unused_classes, "{} classes without a box"),
    _Loss(("voc", "csv"), _reordered_classes, "the order of the {} classes: readers sort them by name"),
    _Loss(("coco", "yolo"), _finer_corners, "corners of {} boxes beyond a millionth of a pixel"),
    _Loss(("yolo",), _outside_boxes, "that {} boxes leave their image: they are written, but many readers refuse them"),
    _Loss(("csv",), _empty_images, "{} images without objects, but as rows with empty cells, which few readers know"),
)
