"""A folder of several COCO or CSV files, such as one for each split: read as one data set."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.dataset.splits import SPLITS, split_named
from tasks.formats.foreign import begins_as_coco
from tasks.ground.walk import files_below

Content: TypeAlias = tuple[list[AnnotatedImage], list[Problem], tuple[str, ...]]

_READ_BYTES = 65_536


def csv_files(folder: Path) -> list[Path]:
    """The CSV files below `folder`."""
    return [path for path in files_below(folder) if path.suffix.lower() == ".csv" and path.is_file()]


def coco_files(folder: Path) -> list[Path]:
    """The JSON files below `folder` that begin as COCO's do."""
    files = (path for path in files_below(folder) if path.suffix.lower() == ".json" and path.is_file())
    return [path for path in files if _begins_as_coco(path)]


def read_several(files: Sequence[Path], read: Callable[[Path], Content]) -> Content:
    """The images and problems of all `files`, in their order, and their classes, each where it comes first.

    An image without a split of its own is in the one that its file is named after, if any: `instances_train2017.json`.

    Raises:
        FormatError: as `read`.
    """
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    classes: dict[str, None] = {}
    for path in files:
        its_images, its_problems, its_classes = read(path)
        split = _split_of_file(path)
        images += [replace(image, given_split=image.given_split or split) for image in its_images]
        problems += its_problems
        classes |= dict.fromkeys(its_classes)
    return images, problems, tuple(classes)


def _split_of_file(path: Path) -> str:
    """The split that a word of the file's name names; empty where none does, or several."""
    words = re.split(r"[^a-z]+", path.stem.lower())
    found = {split for word in words if (split := split_named(word)) in SPLITS}
    return found.pop() if len(found) == 1 else ""


def _begins_as_coco(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return begins_as_coco(file.read(_READ_BYTES).decode("utf-8", errors="replace").removeprefix("\ufeff"))
    except OSError:
        return False
