"""Which text files of a YOLO data set are labels: those below `labels`, those beside an image, and others with rows.

Among them lie lists of images (train.txt, autosplit_train.txt, val2017.txt), notes of exporters, and lists of classes.
"""

import re
from pathlib import Path

from tasks.ground.numbers import finite_number
from tasks.ground.walk import files_below
from tasks.images.image_file import FORMAT_OF_SUFFIX

_NOTES = re.compile(r"(readme|licen[cs]e|notes)\b.*", re.IGNORECASE)
_LISTS = re.compile(
    r"([a-z0-9]+[-_])*(train|trainval|val|valid|validation|test|testdev|minival)[-_a-z0-9]*", re.IGNORECASE
)
# Pascal VOC's lists of images lie below a folder of this name.
_LISTS_FOLDER = "imagesets"
# A row of a polygon may be longer; it begins as every row does.
_FIRST_BYTES = 4096


def label_files(folder: Path) -> list[Path]:
    """The label files: first those below folders called `labels`, then those elsewhere, both sorted.

    Elsewhere, a file that is called like an image beside it is a label file. So is one with label rows, whose image
    may be in another folder. Where nothing lies below `labels`, so is every file that is not called or filled like a
    note or a list of images: what is wrong with it is reported.
    """
    files = files_below(folder)
    texts = sorted(path for path in files if path.suffix.lower() == ".txt" and path.name != "classes.txt")
    images = {(path.parent, path.stem.casefold()) for path in files if path.suffix.lower() in FORMAT_OF_SUFFIX}
    beside = {path for path in texts if (path.parent, path.stem.casefold()) in images}
    below = [path for path in texts if "labels" in _folders(path, folder)]
    first = [path for path in below if path in beside or not (_LISTS.fullmatch(path.stem) and lists_images(path))]
    elsewhere = (path for path in texts if "labels" not in _folders(path, folder))
    return [*first, *(p for p in elsewhere if p in beside or _may_be_labels(p, folder, has_others=bool(first)))]


def _folders(path: Path, folder: Path) -> list[str]:
    return [name.casefold() for name in path.relative_to(folder).parts[:-1]]


def _may_be_labels(path: Path, folder: Path, *, has_others: bool) -> bool:
    if _LISTS_FOLDER in _folders(path, folder) or _NOTES.fullmatch(path.stem):
        return False
    row = _first_row(path).split()
    if len(row) >= 5 and all(finite_number(text) is not None for text in row[:5]):
        return True
    return not (has_others or _LISTS.fullmatch(path.stem) or lists_images(path))


def lists_images(path: Path) -> bool:
    """Whether a text file begins with the name of an image."""
    return Path(_first_row(path).strip()).suffix.lower() in FORMAT_OF_SUFFIX


def _first_row(path: Path) -> str:
    """The first line that is not blank, or its beginning; empty where there is none, or none can be read."""
    # Opening a pipe would wait without end.
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            text = file.read(_FIRST_BYTES).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
    return next((line for line in text.splitlines() if line.strip()), "")
