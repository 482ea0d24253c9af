"""Label Studio's JSON export, a list of tasks, and its JSON-MIN export, a list of flat rows.

Of several annotations of a task the latest is used. Choices of the whole image are its slices, in the JSON export: in
JSON-MIN, results that describe the whole image look like the task's own data, and neither is read.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.errors import FormatError
from tasks.formats.label_studio_regions import as_mapping, flat_results, image_of, short
from tasks.ground.files import read_json
from tasks.images.changed_names import path_in_address
from tasks.images.image_file import FORMAT_OF_SUFFIX

_EXPECTED = "Label Studio's JSON or JSON-MIN export: a list of tasks"
# Longer than any name: an image embedded in the file, or an attack on whoever reads the messages.
_MAX_NAME = 2000


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
        images.append(image_of(name, results, task.where, problems))
    return images, problems


def _tasks(content: list[object], file: str, problems: list[Problem]) -> Iterable[_Task]:
    """The tasks in order; rows of JSON-MIN with one `id` are annotations of one task."""
    tasks: dict[str, _Task] = {}
    for number, entry in enumerate(content, start=1):
        if not isinstance(entry, dict):
            problems.append(_unreadable(f"{file}: task {number}", "not an object"))
            continue
        name = short(entry.get("id", f"at place {number}"))
        where = f"{file}: task {name}"
        annotations = entry.get("annotations", entry.get("completions"))
        if annotations is None:
            task = tasks.setdefault(f"min {name}", _Task(where, entry))
            task.annotations.append(_annotation(entry, list(flat_results(entry))))
        else:
            task = tasks[f"{number}"] = _Task(where, as_mapping(entry.get("data")))
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
