"""The split that a data set's author chose: by folders named after splits, or by Pascal VOC's lists."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath

from tasks.dataset.splits import SPLITS, split_named
from tasks.errors import FormatError
from tasks.ground.files import read_small
from tasks.ground.text import composed

_MAX_BYTES = 50_000_000


def split_by_folder(*paths: PurePath) -> str:
    """The split after which a folder is named: the last such folder of the first path that has one; else empty."""
    for path in paths:
        for folder in reversed(path.parent.parts):
            split = split_named(folder)
            if split:
                return split
    return ""


def splits_by_list(source: Path) -> Mapping[str, str]:
    """Image name, `composed` and mostly without extension -> split, by ImageSets/Main beside or above the annotations.

    Of a name in several lists, test goes before val and val before train; `trainval` adds nothing to these.

    Raises:
        FormatError: a list is not text, or is too large to be one.
    """
    lists = next((p for p in (source / "ImageSets" / "Main", source.parent / "ImageSets" / "Main") if p.is_dir()), None)
    split_of: dict[str, str] = {}
    for split in SPLITS:
        path = lists / f"{split}.txt" if lists else None
        if path and path.is_file():
            for line in list_lines(path):
                name = os.path.basename(line.split()[0])  # noqa: PTH119 - a name in a list, not a path here
                split_of[composed(name)] = split
    return split_of


def list_lines(path: Path) -> list[str]:
    """The lines of a list of images that are not blank.

    Raises:
        FormatError: it is not text, or is too large to be a list.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise FormatError(f"{path}: over {_MAX_BYTES // 1_000_000} MB; a list of image names is smaller")
    try:
        text = read_small(path, _MAX_BYTES, "a list of image names").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not a list of image names in UTF-8 ({error})") from error
    return [line for line in text.splitlines() if line.strip()]
