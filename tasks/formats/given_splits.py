"""The split that a data set comes with: folders named after parts, Pascal VOC's lists, or a column of a CSV file."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath

from tasks.dataset.splits import SPLITS, split_named
from tasks.errors import FormatError

_MAX_BYTES = 50_000_000


def split_by_folder(*paths: PurePath) -> str:
    """`train`, `val` or `test` by the last folder that is named so on the first of `paths` that has one; else empty."""
    for path in paths:
        for folder in reversed(path.parent.parts):
            part = split_named(folder)
            if part:
                return part
    return ""


def splits_by_list(source: Path) -> Mapping[str, str]:
    """Parts by image name without its extension, from ImageSets/Main beside or above the annotations; or nothing.

    A name that several lists have goes to test before val before train; `trainval` says nothing that they do not.

    Raises:
        FormatError: a list is not text, or is too large to be one.
    """
    lists = next((p for p in (source / "ImageSets" / "Main", source.parent / "ImageSets" / "Main") if p.is_dir()), None)
    found: dict[str, str] = {}
    for part in SPLITS:
        path = lists / f"{part}.txt" if lists else None
        if path and path.is_file():
            for line in _lines(path):
                found[os.path.basename(line.split()[0])] = part  # noqa: PTH119 - a name in a list, not a path here
    return found


def _lines(path: Path) -> list[str]:
    if path.stat().st_size > _MAX_BYTES:
        raise FormatError(f"{path}: over {_MAX_BYTES // 1_000_000} MB; a list of image names is smaller")
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not a list of image names in UTF-8 ({error})") from error
