"""YOLO text labels: one file an image, one object a row, `class cx cy w h` as fractions of the image's size.

The classes' names stand in data.yaml or classes.txt, counted from 0. An empty file is an image without objects. What
follows the box (a confidence, a track's id, key points) is not used; a polygon gives the box around it. Boxes belong to
the image as stored, whatever its EXIF orientation.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import MAX_OBJECTS, AnnotatedImage, Problem, flags
from tasks.dataset.problem_kinds import object_name
from tasks.errors import FormatError
from tasks.formats.yolo_labels import label_files
from tasks.formats.yolo_names import class_number, label_text, names_files, read_described, read_names
from tasks.formats.yolo_rows import KeyPoints, Meaning, Row, meaning_of_long_rows, read_row
from tasks.ground.text import printable

MAX_LABEL_BYTES = 10_000_000
_MAX_QUOTED = 40


@dataclass(frozen=True, slots=True)
class _Object:
    """One row: its line, the word that stands for its class, and its numbers or what is wrong with them."""

    line: int
    class_word: str
    row: Row | str


class _Sense(NamedTuple):
    """What rows with more than a box mean in this data set, and whether that was inferred from the rows themselves."""

    meaning: Meaning | None
    inferred: bool


def is_yolo_folder(folder: Path) -> bool:
    """Whether `folder` names classes and has label files, as `read_yolo` expects."""
    return bool(names_files(folder)) and bool(label_files(folder))


def read_yolo(folder: Path) -> tuple[list[AnnotatedImage], list[Problem], tuple[str, ...]]:
    """The images of all label files below `folder`, in the order of `label_files`; the problems; the classes, in order.

    A label file does not say how large its image is: width and height are 0, and boxes are fractions of them, to be
    multiplied once the image is found. `file_name` is empty: the image is called like its label file. A box that could
    not be read, or has a class without a name, is NaN.

    Raises:
        FormatError: no file names the classes, it cannot be read, or two such files disagree; or rows with more than a
            box can be read in two ways.
    """
    names, key_points = read_names(folder), read_described(folder).key_points
    read: list[tuple[Path, list[_Object] | Problem]] = []
    for path in tqdm(label_files(folder), desc="labels", unit="file"):
        try:
            read.append((path, _read_labels(path, key_points)))
        except FormatError as error:
            problem = Problem("unreadable_annotation", path.as_posix(), str(error), "dropped_image")
            read.append((path, problem))
    sense = _Sense(meaning_of_long_rows(_long_rows(read)), inferred=key_points is None)
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for path, content in read:
        if isinstance(content, Problem):
            problems.append(content)
        else:
            image, faults = _image(path, content, names, sense)
            images.append(image)
            problems += faults
    return images, problems, tuple(dict.fromkeys(names[number] for number in sorted(names)))


def _read_labels(path: Path, key_points: KeyPoints | None) -> list[_Object]:
    objects: list[_Object] = []
    for line, text in enumerate(label_text(path, MAX_LABEL_BYTES).split("\n"), start=1):
        fields = text.split()
        if fields:
            try:
                row: Row | str = read_row(fields[1:], key_points)
            except ValueError as error:
                row = str(error)
            objects.append(_Object(line, fields[0], row))
        if len(objects) > MAX_OBJECTS:
            raise FormatError(f"{path}: more than {MAX_OBJECTS} rows; at most as many are read of one image")
    return objects


def _long_rows(read: list[tuple[Path, list[_Object] | Problem]]) -> Iterator[tuple[str, Row]]:
    for path, content in read:
        for thing in [] if isinstance(content, Problem) else content:
            if isinstance(thing.row, Row) and thing.row.is_long:
                yield f"{path.as_posix()}:{thing.line}", thing.row


def _image(
    path: Path, objects: list[_Object], names: Mapping[int, str], sense: _Sense
) -> tuple[AnnotatedImage, list[Problem]]:
    rows: list[list[float]] = []
    classes: list[str] = []
    problems: list[Problem] = []
    for place, thing in enumerate(objects, start=1):
        number = class_number(thing.class_word)
        name = names.get(-1 if number is None else number, thing.class_word[:_MAX_QUOTED])
        where = f"{path.as_posix()}:{thing.line}"
        box, problem = _box(thing.row, sense, where, object_name(place, name))
        if box and number not in names:
            text = printable(thing.class_word[:_MAX_QUOTED])
            numbered = f"the classes' names are numbered {min(names)} to {max(names)}"
            detail = f"{object_name(place, name)}: class {text}: {numbered}"
            box, problem = None, Problem("unknown_class", where, detail, "dropped_box")
        rows.append(box or [math.nan] * 4)
        classes.append(name)
        problems += [problem] if problem else []
    n = len(rows)
    boxes = as_boxes(rows)
    return AnnotatedImage("", 0, 0, boxes, tuple(classes), flags(n), flags(n), path.as_posix()), problems


def _box(row: Row | str, sense: _Sense, where: str, label: str) -> tuple[list[float] | None, Problem | None]:
    """The box of a row in fractions, None where it has none that is usable; and its problem, if any."""
    try:
        box = row if isinstance(row, str) else row.box_as(sense.meaning)
    except ValueError as error:
        box = str(error)
    if isinstance(row, str) or isinstance(box, str):
        return None, Problem("unreadable_object", where, f"{label}: {box}", "dropped_box")
    if not row.is_long:
        return box, None
    if sense.meaning == "polygon":
        detail = f"{label}: a polygon of {row.length // 2} points; the box around it is used"
        return box, Problem("enclosing_box", where, detail, "kept")
    detail = f"{label}: {row.length - 4} values after the box cx cy w h are not used"
    return box, Problem("values_after_box", where, detail, "kept") if sense.inferred else None
