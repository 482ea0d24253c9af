"""Label Studio's JSON export, a list of tasks, and its JSON-MIN export, a list of flat rows.

Rectangles stand in it in percent of the image's size as the browser showed it, rotated clockwise around their top left
corner by `rotation` degrees (labelstud.io/guide/task_format and /templates/image_bbox). Of several annotations of a
task the latest is used. In JSON-MIN, results that describe the whole image look like the task's own data: neither is
read.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Problem, flags
from tasks.dataset.problem_kinds import object_name
from tasks.errors import FormatError
from tasks.ground.files import read_json
from tasks.ground.text import printable
from tasks.images.changed_names import path_in_address
from tasks.images.image_file import FORMAT_OF_SUFFIX

_EXPECTED = "Label Studio's JSON or JSON-MIN export: a list of tasks"
# Longer than any name: an image embedded in the file, or an attack on whoever reads the messages.
_MAX_NAME = 2000
_MAX_NUMBER = 1e9
_SIDES = ("x", "y", "width", "height")
# Results that outline something in the image; the others describe the image as a whole.
_REGION = re.compile(r".*labels|rectangle|ellipse|polygon|keypoint|brush|bitmask|vector", re.IGNORECASE)


class _Annotation(NamedTuple):
    results: list[object]
    cancelled: bool
    time: float


@dataclass
class _Task:
    """One image in either export; `data` holds its address under a name that the labelling project chose."""

    where: str
    data: Mapping[str, object]
    annotations: list[_Annotation] = field(default_factory=list)


class _Size(NamedTuple):
    width: int
    height: int


def read_label_studio(path: Path) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The annotated images in the file's order, and a problem for each thing in it that is not used.

    `file_name` is as in the task, without server and query: the images have yet to be found. A box that could not
    be read is NaN. Where no result gives the image's size, width and height are 0 and boxes are fractions of them, to
    be multiplied once the image is found. A task that nobody annotated gives nothing.

    Raises:
        FormatError: not JSON, or no list of tasks.
    """
    content = read_json(path, _EXPECTED)
    if not isinstance(content, list):
        raise FormatError(f"{path}: not a list; expected {_EXPECTED}")
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for task in _tasks(content, path.as_posix(), problems):
        results = _latest_results(task, problems)
        if results is None:
            continue
        name = _image_name(task.data)
        if name is None:
            detail = "its data names no image, or several, or holds the image itself; `image` with a path is expected"
            problems.append(Problem("unreadable_annotation", task.where, detail, "dropped_image"))
            continue
        images.append(_image(name, results, task.where, problems))
    return images, problems


def _tasks(content: list[object], file: str, problems: list[Problem]) -> Iterable[_Task]:
    """The tasks in order; rows of JSON-MIN with one `id` are annotations of one task."""
    tasks: dict[str, _Task] = {}
    for number, entry in enumerate(content, start=1):
        if not isinstance(entry, dict):
            problems.append(_unreadable(f"{file}: task {number}", "not an object"))
            continue
        name = _short(entry.get("id", f"at place {number}"))
        where = f"{file}: task {name}"
        annotations = entry.get("annotations", entry.get("completions"))
        if annotations is None:
            task = tasks.setdefault(f"min {name}", _Task(where, entry))
            task.annotations.append(_annotation(entry, list(_flat_results(entry))))
        else:
            task = tasks[f"{number}"] = _Task(where, _mapping(entry.get("data")))
            for annotation in annotations if isinstance(annotations, list) else [annotations]:
                if isinstance(annotation, dict) and isinstance(annotation.get("result"), list):
                    task.annotations.append(_annotation(annotation, annotation["result"]))
                else:
                    problems.append(_unreadable(where, "an annotation without a list `result`"))
    return tasks.values()


def _unreadable(where: str, detail: str) -> Problem:
    return Problem("unreadable_annotation", where, detail, "dropped_image")


def _annotation(entry: Mapping[str, object], results: list[object]) -> _Annotation:
    return _Annotation(results, bool(entry.get("was_cancelled")), _time(entry))


def _flat_results(row: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The regions of a JSON-MIN row as the full export would give them."""
    for values in row.values():
        for value in values if isinstance(values, list) else []:
            region = _mapping(value)
            kind = next((key for key in region if key.endswith("labels")), None)
            if kind is not None or "x" in region:
                sizes = {key: region.get(key) for key in ("original_width", "original_height", "image_rotation")}
                yield {"type": kind or "region without labels", "value": value, **sizes}


def _latest_results(task: _Task, problems: list[Problem]) -> list[object] | None:
    """The results of the latest annotation that was not cancelled; None where there is none."""
    finished = [annotation for annotation in task.annotations if not annotation.cancelled]
    for annotation in task.annotations:
        if annotation.cancelled:
            detail = f"skipped by the annotator, with {len(annotation.results)} results; left out"
            problems.append(Problem("cancelled_annotation", task.where, detail, "left_out"))
    if not finished:
        return None
    latest = max(range(len(finished)), key=lambda i: (finished[i].time, i))
    for i, annotation in enumerate(finished):
        if i != latest:
            detail = f"annotation {i + 1} of {len(finished)}, {len(annotation.results)} results: a later one is used"
            problems.append(Problem("superseded_annotation", task.where, detail, "left_out"))
    return finished[latest].results


def _time(entry: Mapping[str, object]) -> float:
    """Seconds since 1970; an entry without a time counts as the first."""
    value = entry.get("updated_at") or entry.get("created_at")
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        seconds = float(value) if isinstance(value, int | float) else -math.inf
    except (TypeError, ValueError, OverflowError):
        return -math.inf
    return -math.inf if math.isnan(seconds) else seconds


def _image_name(data: Mapping[str, object]) -> str | None:
    """The path of the image: `image`, else the one value that ends like the name of an image."""
    addresses = [data["image"]] if "image" in data else list(data.values())
    paths = [
        path_in_address(address) for address in addresses if isinstance(address, str) and len(address) <= _MAX_NAME
    ]
    if "image" not in data:
        paths = [path for path in paths if Path(path).suffix.lower() in FORMAT_OF_SUFFIX]
    return paths[0] if len(paths) == 1 and paths[0] else None


def _image(name: str, results: list[object], where: str, problems: list[Problem]) -> AnnotatedImage:
    size = next(filter(None, map(_size, results)), _Size(0, 0))
    rows: list[list[float]] = []
    classes: list[str] = []
    for number, result in enumerate(results, start=1):
        rectangle = _mapping(result)
        if rectangle.get("type") == "rectanglelabels":
            labels = _labels(rectangle)
            box, faults = _box(rectangle, number, labels, size, where)
        else:
            # An outline that is not read is an object all the same: its image is not a background.
            faults = [_unsupported_problem(result, number, where)]
            labels, box = [""] if faults[0].action == "dropped_box" else [], None
        problems += faults
        rows += [box or [math.nan] * 4] * len(labels)
        classes += labels
    n = len(classes)
    boxes = np.round(as_boxes(rows), 6) if size.width else as_boxes(rows)
    return AnnotatedImage(name, *size, boxes, tuple(classes), flags(n), flags(n), where)


def _unsupported_problem(result: object, number: int, where: str) -> Problem:
    kind = _short(_mapping(result).get("type", "not an object"))
    is_region = _REGION.fullmatch(kind) or not isinstance(result, dict) or "x" in _mapping(result.get("value"))
    detail = f"result {number} is {kind}; only rectanglelabels are read"
    return Problem("unsupported_result", where, detail, "dropped_box" if is_region else "kept")


def _box(
    result: Mapping[str, object], number: int, labels: list[str], size: _Size, where: str
) -> tuple[list[float] | None, list[Problem]]:
    """`[xmin, ymin, xmax, ymax]` in pixels, in fractions where `size` is not known; or None and its problems."""
    label = object_name(number, ", ".join(labels))
    value = _mapping(result.get("value"))
    numbers = [_finite(value.get(key)) for key in _SIDES]
    x, y, width, height = (side / 100 for side in numbers)
    rotation = _finite(value.get("rotation") or 0)
    image_rotation = _finite(result.get("image_rotation") or 0)
    kind, detail = "unreadable_object", ""
    if not all(map(math.isfinite, (*numbers, rotation, image_rotation))):
        values = ", ".join(f"{key} {_short(value.get(key))}" for key in (*_SIDES, "rotation"))
        detail = f"{values}: not numbers that an image can have"
    elif image_rotation:
        kind = "unsupported_result"
        detail = f"drawn on the image rotated by {image_rotation:g} degrees; rotate the image itself"
    elif rotation and not size.width:
        detail = f"rotated by {rotation:g} degrees, but original_width and original_height are missing"
    if detail:
        return None, [Problem(kind, where, f"{label}: {detail}", "dropped_box")] * len(labels)
    w, h = (size.width or 1), (size.height or 1)
    if not rotation:
        return [x * w, y * h, (x + width) * w, (y + height) * h], []
    detail = f"{label}: rotated by {rotation:g} degrees; the upright box around it is used"
    box = _enclosing(x * w, y * h, width * w, height * h, rotation)
    return box, [Problem("enclosing_box", where, detail, "kept")] * len(labels)


def _enclosing(x: float, y: float, width: float, height: float, degrees: float) -> list[float]:
    """The upright box around a rectangle rotated clockwise around its top left corner, all in pixels."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(x + a * cos - b * sin, y + a * sin + b * cos) for a in (0, width) for b in (0, height)]
    xs, ys = zip(*corners, strict=True)
    return [min(xs), min(ys), max(xs), max(ys)]


def _labels(result: Mapping[str, object]) -> list[str]:
    """The names of a rectangle, one object each; an object without a name has an empty one."""
    names = _mapping(result.get("value")).get("rectanglelabels")
    listed = names if isinstance(names, list) else [names]
    return [name if isinstance(name, str) else "" for name in listed] or [""]


def _size(result: object) -> _Size | None:
    sides = [_finite(_mapping(result).get(key)) for key in ("original_width", "original_height")]
    if not all(math.isfinite(side) and side >= 1 for side in sides):
        return None
    return _Size(int(sides[0]), int(sides[1]))


def _finite(value: object) -> float:
    """`value` as a number; NaN for anything else, and for numbers larger than any image's: results stay finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if abs(value) < _MAX_NUMBER else math.nan


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _short(value: object) -> str:
    """At most 60 characters of `value`; for a list or a mapping the name of its type."""
    is_plain = isinstance(value, str | int | float) and not _is_long(value)
    return printable(str(value)[:60]) if is_plain else type(value).__name__


def _is_long(value: object) -> bool:
    """Whether Python would refuse to write the number."""
    return isinstance(value, int) and abs(value) > 10**18
