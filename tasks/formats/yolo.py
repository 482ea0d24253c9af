"""YOLO text labels: one file an image, one object a row, `class cx cy w h` as fractions of the image's size.

The classes' names stand in data.yaml or classes.txt, counted from 0. An empty file is an image without objects. A
sixth number, the confidence that a detector wrote, is not used. A row with a polygon gives the box around it. Boxes
belong to the image as stored, whatever its EXIF orientation.
"""

import math
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import yaml
from tqdm import tqdm

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.dataset.problem_kinds import object_name
from tasks.errors import FormatError
from tasks.formats.annotation_names import annotation_names
from tasks.ground.files import read_small, replacing
from tasks.ground.numbers import finite_number
from tasks.ground.text import printable, quoted, shortened
from tasks.images.image_file import FORMAT_OF_SUFFIX
from tasks.images.image_finder import lexically_absolute

MAX_LABEL_BYTES = 10_000_000
MAX_NAMES_BYTES = 250_000
_MAX_NAMES_DEPTH = 20
_NAMES_FILES = ("data.yaml", "data.yml", "classes.txt", "labels/classes.txt")
# Text files beside images that are not labels: lists of images, and the notes of exporters.
_NOT_LABELS = re.compile(r"(train|val|valid|test|(readme|licen[cs]e|notes)\b.*)\.txt", re.IGNORECASE)
# A box may leave its image; one that is ten images away was written in pixels.
_MAX_FRACTION = 10.0
_MAX_QUOTED = 40
_T = TypeVar("_T")
# Fractions have this many decimals: in an image of 100,000 pixels a millionth of a pixel comes back.
_DECIMALS = 12


def is_yolo_folder(folder: Path) -> bool:
    """Whether `folder` names classes and has label files, as `read_yolo` expects."""
    return bool(_names_files(folder)) and bool(label_files(folder))


def label_files(folder: Path) -> list[Path]:
    """The label files, sorted: below folders called `labels`; where there are none, every .txt that may be one."""
    named = (path for path in folder.rglob("*") if path.suffix.lower() == ".txt" and path.name[0] != ".")
    texts = sorted(path for path in named if path.name != "classes.txt" and not path.is_dir())
    in_labels = [path for path in texts if "labels" in map(str.casefold, path.relative_to(folder).parts[:-1])]
    return in_labels or [path for path in texts if not _NOT_LABELS.fullmatch(path.name) or _is_beside_its_image(path)]


def read_yolo(folder: Path) -> tuple[list[AnnotatedImage], list[Problem], tuple[str, ...]]:
    """The images of all label files below `folder`, in the order of their paths; the problems; the classes, in order.

    A label file does not say how large its image is: width and height are 0, and boxes are fractions of them, to be
    multiplied once the image is found. `file_name` is empty: the image is called like its label file. A box that could
    not be read, or has a class without a name, is NaN.

    Raises:
        FormatError: no file names the classes, it cannot be read, or two such files disagree.
    """
    names = read_names(folder)
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for path in tqdm(label_files(folder), desc="labels", unit="file"):
        try:
            image, faults = _read_labels(path, names)
        except FormatError as error:
            problems.append(Problem("unreadable_annotation", path.as_posix(), str(error), "dropped_image"))
        else:
            images.append(image)
            problems.extend(faults)
    return images, problems, tuple(dict.fromkeys(names[number] for number in sorted(names)))


def read_names(folder: Path) -> dict[int, str]:
    """Class number, from 0 -> name, as data.yaml (`names`, a list or a mapping) or classes.txt (one a line) gives them.

    Raises:
        FormatError: there is no such file, it is not in its format, or two of them disagree.
    """
    names_of = {path: _read_names_file(path) for path in _names_files(folder)}
    if not names_of:
        raise FormatError(f"{folder}: no {' or '.join(_NAMES_FILES)}: one must name the classes")
    (first, names), *others = names_of.items()
    for path, other in others:
        if other != names:
            raise FormatError(f"{first} and {path} name different classes: correct or delete one of them")
    return names


def write_yolo(dataset: Dataset, folder: Path, *, copy_images: bool = False) -> None:
    """Write labels/, classes.txt and data.yaml; images are referred to by data.yaml, or copied to images/.

    Every image must have its size as stored. `read_yolo` and a look at the images give `dataset` back, to a millionth
    of a pixel and but for `difficult`, `iscrowd`, `source` and `sha256`.

    Raises:
        FormatError: two images would have the same label file, or the name of a class has a line break.
    """
    labels = annotation_names(dataset, ".txt", reserved="classes.txt")
    multiline = [name for name in dataset.classes if "\n" in name or "\r" in name]
    if multiline:
        raise FormatError(f"class {multiline[0]!r}: remove the line break: classes.txt has one class a line")
    numbers = {name: number for number, name in enumerate(dataset.classes)}
    with replacing(folder) as beside:
        for image, label in zip(dataset.images, labels, strict=True):
            path = beside / "labels" / label
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_rows(image, numbers), encoding="utf-8")
            if copy_images:
                target = beside / "images" / image.file_name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(dataset.image_path(image), target)
        (beside / "labels").mkdir(parents=True, exist_ok=True)
        (beside / "classes.txt").write_text("".join(f"{name}\n" for name in dataset.classes), encoding="utf-8")
        where = "images" if copy_images else lexically_absolute(dataset.root).as_posix()
        content = {"train": where, "val": where, "names": dict(enumerate(dataset.classes))}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (beside / "data.yaml").write_text(text, encoding="utf-8")


def _rows(image: AnnotatedImage, numbers: dict[str, int]) -> str:
    if not image.classes:
        return ""
    if 0 in (image.width, image.height):
        raise FormatError(f"{image.file_name}: its size is not known, and YOLO's boxes are fractions of it")
    size = np.array([image.width, image.height], dtype=np.float64)
    centres = (image.boxes[:, :2] + image.boxes[:, 2:]) / 2 / size
    sides = (image.boxes[:, 2:] - image.boxes[:, :2]) / size
    rows = np.concatenate([centres, sides], axis=1)
    return "".join(
        f"{numbers[name]} {' '.join(f'{value:.{_DECIMALS}f}' for value in row)}\n"
        for name, row in zip(image.classes, rows.tolist(), strict=True)
    )


def _read_labels(path: Path, names: dict[int, str]) -> tuple[AnnotatedImage, list[Problem]]:
    rows: list[list[float]] = []
    classes: list[str] = []
    problems: list[Problem] = []
    for line, text in enumerate(_text(path, MAX_LABEL_BYTES).split("\n"), start=1):
        fields = text.split()
        if fields:
            name, box, problem = _read_row(fields, names, len(rows) + 1, f"{path.as_posix()}:{line}")
            rows.append(box or [math.nan] * 4)
            classes.append(name)
            problems += [problem] if problem else []
    n = len(rows)
    boxes = as_boxes(rows)
    return AnnotatedImage("", 0, 0, boxes, tuple(classes), flags(n), flags(n), path.as_posix()), problems


def _read_row(
    fields: Sequence[str], names: Mapping[int, str], place: int, where: str
) -> tuple[str, list[float] | None, Problem | None]:
    """The class of a row, its box in fractions (None where it has none that is usable), and its problem, if any."""
    number = _class_number(fields[0])
    name = names.get(-1 if number is None else number, fields[0][:_MAX_QUOTED])
    label = object_name(place, name)
    try:
        box = _box(fields)
    except ValueError as error:
        return name, None, Problem("unreadable_object", where, f"{label}: {error}", "dropped_box")
    if number not in names:
        number_text = printable(fields[0][:_MAX_QUOTED])
        detail = f"{label}: class {number_text}: the classes' names are numbered {min(names)} to {max(names)}"
        return name, None, Problem("unknown_class", where, detail, "dropped_box")
    if len(fields) <= 6:
        return name, box, None
    detail = f"{label}: a polygon of {len(fields) // 2} points; the box around it is used"
    return name, box, Problem("enclosing_box", where, detail, "kept")


def _class_number(text: str) -> int | None:
    """Some tools write the class as a float: `3.0`."""
    return int(text.split(".", maxsplit=1)[0]) if re.fullmatch(r"[0-9]{1,9}(\.0*)?", text, re.ASCII) else None


def _box(fields: Sequence[str]) -> list[float]:
    """`[xmin, ymin, xmax, ymax]` in fractions of a row `class cx cy w h`, `class cx cy w h confidence` or a polygon's.

    Raises:
        ValueError: the row is none of them; the message says why.
    """
    if len(fields) < 5 or (len(fields) > 6 and len(fields) % 2 == 0):
        raise ValueError(f"{len(fields)} values; expected class cx cy w h, or a class and the corners of a polygon")
    values = [_number(text) for text in (fields[1:5] if len(fields) <= 6 else fields[1:])]
    if max(map(abs, values)) > _MAX_FRACTION:
        raise ValueError(f"{max(values, key=abs):g} is no fraction of the image's size; expected fractions, not pixels")
    if len(fields) > 6:
        return [min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])]
    cx, cy, width, height = values
    return [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]


def _number(text: str) -> float:
    value = finite_number(text)
    if value is None:
        raise ValueError(f"{quoted(text)} is not a number")
    return value


def _is_beside_its_image(path: Path) -> bool:
    return any(path.with_suffix(suffix).is_file() for suffix in FORMAT_OF_SUFFIX)


def _names_files(folder: Path) -> list[Path]:
    return [folder / name for name in _NAMES_FILES if (folder / name).is_file()]


def _read_names_file(path: Path) -> dict[int, str]:
    text = _text(path, MAX_NAMES_BYTES)
    if path.suffix == ".txt":
        if not text.strip():
            raise FormatError(f"{path}: is empty; expected one class a line")
        return dict(enumerate(line.strip() for line in text.rstrip().split("\n")))
    try:
        _refuse_aliases_and_depth(path, text)
        _refuse_repeated_keys(path, text)
        # BaseLoader makes nothing but text, lists and mappings: safer than safe_load, and a class called `no` stays so.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError) as error:
        raise FormatError(f"{path}: not YAML: {str(error)[:300]}") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not names:
        raise FormatError(f"{path}: no list or mapping `names`, which gives the names of the class numbers")
    repeated = _first_repeated(_class_number(str(number)) for number in names)
    if repeated is not None:
        raise FormatError(f"{path}: names: the number {repeated} is repeated; a class has one name")
    numbered = {_class_number(str(number)): name for number, name in names.items()}
    if None in numbered or not all(isinstance(name, str) for name in numbered.values()):
        raise FormatError(f"{path}: names: expected a list of names, or numbers from 0, each with a name")
    return {number: str(name).strip() for number, name in numbered.items() if number is not None}


def _refuse_aliases_and_depth(path: Path, text: str) -> None:
    """Raise for YAML that a small file could use to grow large or deep; no list of classes needs it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > _MAX_NAMES_DEPTH:
            raise FormatError(f"{path}: has aliases (*name) or is nested too deeply; no list of classes needs that")


def _refuse_repeated_keys(path: Path, text: str) -> None:
    """Raise where YAML would silently take the last: `{0: cat, 0: dog}` names one class."""
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else []:
        if key.value == "names" and isinstance(value, yaml.MappingNode):
            repeated = _first_repeated(str(number.value) for number, _ in value.value)
            if repeated is not None:
                raise FormatError(f"{path}: names: {shortened(repeated)} is repeated; a class has one name")


def _first_repeated(values: Iterable[_T]) -> _T | None:
    seen: set[_T] = set()
    return next((value for value in values if value in seen or seen.add(value)), None)  # type: ignore[func-returns-value]


def _text(path: Path, max_bytes: int) -> str:
    try:
        # Every kind of line end becomes a newline, as it does when Python reads text by itself.
        text = read_small(path, max_bytes, "such a file").decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start})") from error
