"""The boxes in the file that the next save would replace: none of them may be lost."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.annotating.export import BOXES, Annotation, Region, Task
from tasks.annotating.project import Project
from tasks.errors import DataError, FormatError
from tasks.ground.files import read_json
from tasks.ground.text import shortened

_EXPECTED = "Label Studio's JSON export, as `make annotate` writes it"
_REMEDY = "have what is drawn now written to another file: make annotate OUT=other.json"

# Each image's annotations in the order of time, by its address.
SavedWork = Mapping[str, Sequence[Annotation]]


def read_saved_work(out: Path, classes: Collection[str]) -> SavedWork:
    """The annotations in `out`; none where there is no such file.

    Raises:
        DataError: `out` is no export of ours, or has boxes of other classes; the message names the remedy.
    """
    if not out.exists():
        return {}
    annotations: dict[str, list[Annotation]] = {}
    for task in _read_tasks(out):
        annotations.setdefault(task.address, []).extend(task.annotations)
    regions = [region for own in annotations.values() for annotation in own for region in annotation.result]
    if any(region.get("from_name", BOXES) != BOXES for region in regions):
        raise FormatError(f"{out}: drawn with other tools than `make annotate` has; {_REMEDY}")
    unknown = sorted({name for region in regions for name in _class_names(region)} - set(classes))
    if unknown:
        raise DataError(
            f"{out}: has boxes of {shortened(', '.join(unknown))}, which CLASSES does not name; "
            f"name them too, or {_REMEDY}"
        )
    return {image: sorted(own, key=lambda each: each.updated_at) for image, own in annotations.items() if own}


def restore(project: Project, saved: SavedWork, images: Mapping[str, Path], out: Path) -> int:
    """Add to the project the annotations that `out` has and the project lacks; how many images that are.

    Raises:
        DataError: `out` has annotations of an image that is not in `images`, or others than the project has of it.
    """
    task_of = {task.address: task for task in project.tasks()}
    missing: dict[int, list[Annotation]] = {}
    for image, own in saved.items():
        task = task_of.get(image)
        known = task.annotations if task else []
        lacking = [each for each in own if not each.is_in(known)]
        if not lacking:
            continue
        if task is None or image not in images:
            raise DataError(f"{out}: has boxes of {shortened(image)}, an image that is not in the folder; {_REMEDY}")
        if any(not each.is_in(own) for each in known):
            raise DataError(f"{out}: has other boxes of {shortened(image)} than Label Studio has; {_REMEDY}")
        missing[task.id] = lacking
    for number, lacking in missing.items():
        for each in lacking:
            project.add_annotation(number, each.result, was_cancelled=each.was_cancelled)
    return len(missing)


def _read_tasks(out: Path) -> list[Task]:
    try:
        content = read_json(out, _EXPECTED)
        # What cannot be sent, such as NaN and half a character, is not from Label Studio either.
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        return TypeAdapter(list[Task]).validate_python(content)
    except FormatError as error:
        raise FormatError(f"{error}; {_REMEDY}") from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise FormatError(f"{out}: not {_EXPECTED}; {_REMEDY}") from error


def _class_names(region: Region) -> list[str]:
    value = region.get("value")
    names = value.get("rectanglelabels") if isinstance(value, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []
