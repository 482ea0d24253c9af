"""What has been drawn before, as the file says that the next save would replace: nothing of it may be lost."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from tasks.annotating.project import BOXES, IMAGE, Project
from tasks.errors import DataError, FormatError
from tasks.ground.files import read_json
from tasks.ground.text import shortened

_EXPECTED = "Label Studio's JSON export, as `make annotate` writes it"
_ELSEWHERE = "have what is drawn now written to another file: make annotate OUT=other.json"


class Annotation(BaseModel):
    """One annotation of an image, by the names that Label Studio has for its parts.

    Attributes:
        id, created_at: stay as they are, whatever becomes of its boxes in one database.
    """

    id: int | None = None
    created_at: str = ""
    updated_at: str = ""
    was_cancelled: bool = False
    result: list[dict[str, Any]]

    def is_in(self, others: Sequence["Annotation"]) -> bool:
        """Whether one of `others` is the same, or what became of it later."""
        return any(self._is(other) or self._became(other) for other in others)

    def _is(self, other: "Annotation") -> bool:
        return (self.was_cancelled, self.result) == (other.was_cancelled, other.result)

    def _became(self, other: "Annotation") -> bool:
        is_same = self.created_at and (self.id, self.created_at) == (other.id, other.created_at)
        return bool(is_same and self.updated_at <= other.updated_at)


class _Task(BaseModel):
    data: dict[str, Any]
    annotations: list[Annotation]


Earlier = Mapping[str, Sequence[Annotation]]


def read_earlier(out: Path, classes: Collection[str]) -> Earlier:
    """The annotations in `out` by the address of their image, those of an image in the order of time.

    Raises:
        DataError: it is no export of ours, or has boxes of other classes; the message names the remedy.
    """
    if not out.exists():
        return {}
    found: dict[str, list[Annotation]] = {}
    for task in _tasks(out):
        found.setdefault(str(task.data.get(IMAGE)), []).extend(task.annotations)
    regions = [region for own in found.values() for annotation in own for region in annotation.result]
    if any(region.get("from_name", BOXES) != BOXES for region in regions):
        raise FormatError(f"{out}: drawn with other tools than `make annotate` has; {_ELSEWHERE}")
    unknown = sorted({name for region in regions for name in _names(region)} - set(classes))
    if unknown:
        raise DataError(
            f"{out}: has boxes of {shortened(', '.join(unknown))}, which CLASSES does not name; name them too, or "
            + _ELSEWHERE
        )
    return {image: sorted(own, key=lambda each: each.updated_at) for image, own in found.items() if own}


def bring_in(project: Project, earlier: Earlier, images: Mapping[str, Path], out: Path) -> int:
    """Give the project the annotations that it lacks; of how many images.

    Raises:
        DataError: `out` has annotations of an image that is not in `images`, or others than the project has of it.
    """
    there = {task["data"].get(IMAGE): task for task in project.tasks()}
    missing: dict[int, list[Annotation]] = {}
    for image, own in earlier.items():
        task = there.get(image)
        known = [] if task is None else [Annotation.model_validate(each) for each in task["annotations"]]
        lacking = [each for each in own if not each.is_in(known)]
        if not lacking:
            continue
        if task is None or image not in images:
            raise DataError(f"{out}: has boxes of {shortened(image)}, an image that is not in the folder; {_ELSEWHERE}")
        if any(not each.is_in(own) for each in known):
            raise DataError(f"{out}: has other boxes of {shortened(image)} than Label Studio has; {_ELSEWHERE}")
        missing[task["id"]] = lacking
    for number, lacking in missing.items():
        for each in lacking:
            project.annotate(number, each.result, was_cancelled=each.was_cancelled)
    return len(missing)


def _tasks(out: Path) -> list[_Task]:
    try:
        content = read_json(out, _EXPECTED)
        # What cannot be sent, such as NaN and half a character, is not from there either.
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        return TypeAdapter(list[_Task]).validate_python(content)
    except FormatError as error:
        raise FormatError(f"{error}; {_ELSEWHERE}") from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise FormatError(f"{out}: not {_EXPECTED}; {_ELSEWHERE}") from error


def _names(region: Mapping[str, Any]) -> list[str]:
    value = region.get("value")
    names = value.get("rectanglelabels") if isinstance(value, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []
