"""What the results of one Label Studio annotation say: rectangles with their names, and what else belongs to them.

Results with one `id` describe one region: a rectangle and, where the labelling project has them apart, its label,
choices, text, number or rating. Rectangles stand in percent of the image's size, rotated clockwise around their top
left corner by `rotation` degrees (labelstud.io/guide/task_format and /templates/image_bbox).
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Problem, flags
from tasks.dataset.problem_kinds import object_name
from tasks.ground.text import printable, shortened

_MAX_NUMBER = 1e9
_SIDES = ("x", "y", "width", "height")
_RECTANGLES = ("rectanglelabels", "rectangle")
# Results that outline something in the image.
_SHAPE = re.compile(r".+labels|rectangle|ellipse|polygon|keypoint|brush|bitmask|vector", re.IGNORECASE)
# Results that say something of a region, or of the whole image.
_PROPERTIES = ("choices", "text", "number", "rating", "taxonomy", "datetime")


class _Size(NamedTuple):
    width: int
    height: int


class _Region(NamedTuple):
    """One shape.

    Attributes:
        number: the place of `shape` in the annotation's results, from 1.
        shape: the result that outlines it.
        others: place and result of those that have its `id` besides.
    """

    number: int
    shape: Mapping[str, object]
    others: list[tuple[int, Mapping[str, object]]]


class _WholeImage(NamedTuple):
    """What the choices named `name` say of the whole image."""

    name: str
    value: str


def flat_results(row: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The regions of a JSON-MIN row as the full export would give them.

    There regions have no `id`. What belongs to one of them repeats its numbers, which serve in its place.
    """
    for values in row.values():
        for value in values if isinstance(values, list) else []:
            region = as_mapping(value)
            kind = _flat_kind(region)
            if kind is not None:
                sizes = {key: region.get(key) for key in ("original_width", "original_height", "image_rotation")}
                place = [region.get(key) for key in (*_SIDES, "rotation", "points")]
                yield {"id": str(place), "type": kind, "value": value, **sizes}


def _flat_kind(region: Mapping[str, object]) -> str | None:
    """The type that the full export gives a value of JSON-MIN; None for what is no region."""
    kind = next((key for key in region if key.endswith("labels")), None)
    if kind is not None or "x" not in region:
        return kind
    kind = next((key for key in _PROPERTIES if key in region), None)
    return kind or ("rectangle" if "width" in region else "region without labels")


def image_of(name: str, results: list[object], where: str, problems: list[Problem]) -> AnnotatedImage:
    """The image `name` with the rectangles among `results` and the choices that are of the whole image, as its slices.

    What is not read is added to `problems`.

    Where no result gives the image's size, width and height are 0 and boxes are fractions of them.
    """
    size = next(filter(None, map(_size, results)), _Size(0, 0))
    rows: list[list[float]] = []
    classes: list[str] = []
    slices: dict[str, str] = {}
    for entry in _regions(results):
        if isinstance(entry, _WholeImage):
            slices[entry.name] = entry.value
            continue
        if isinstance(entry, Problem):
            problems.append(_at(entry, where))
            labels, box = [""] if entry.action == "dropped_box" else [], None
        elif entry.shape.get("type") in _RECTANGLES:
            labels = _labels(entry)
            box, faults = _box(entry.shape, entry.number, labels, size, where)
            problems += [*faults, *_unused(entry, labels, where)]
        else:
            # An outline that is not read is an object all the same: its image is not a background.
            problems.append(_at(_unsupported(entry.shape, entry.number), where))
            labels, box = [""], None
        rows += [box or [math.nan] * 4] * len(labels)
        classes += labels
    n = len(classes)
    boxes = np.round(as_boxes(rows), 6) if size.width else as_boxes(rows)
    return AnnotatedImage(name, *size, boxes, tuple(classes), flags(n), flags(n), where, slices=slices)


def _regions(results: list[object]) -> list[_Region | _WholeImage | Problem]:
    """Each shape with what belongs to it, choices of the whole image, and a problem for each other result, in order."""
    entries: dict[int, _Region | _WholeImage | Problem] = {}
    by_id: dict[str, _Region] = {}
    for number, shape in enumerate(map(as_mapping, results), start=1):
        if _is_shape(shape):
            entries[number] = region = _Region(number, shape, [])
            # Should several shapes have one id, what belongs to it is with the first.
            by_id.setdefault(_id(shape, number), region)
    for number, result in enumerate(results, start=1):
        if number not in entries:
            owner = by_id.get(_id(as_mapping(result), number))
            if owner is None:
                entries[number] = _of_whole_image(as_mapping(result)) or _unsupported(result, number)
            else:
                owner.others.append((number, as_mapping(result)))
    return [entries[number] for number in sorted(entries)]


def _of_whole_image(result: Mapping[str, object]) -> _WholeImage | None:
    """The choices in a result that belongs to no shape; None where it holds none."""
    name, value = result.get("from_name"), as_mapping(result.get("value"))
    chosen = value.get("choices")
    if result.get("type") != "choices" or "x" in value or not isinstance(name, str) or not isinstance(chosen, list):
        return None
    texts = [text.strip() for text in chosen if isinstance(text, str) and text.strip()]
    return _WholeImage(name, ", ".join(sorted(texts))) if name and texts else None


def _is_shape(result: Mapping[str, object]) -> bool:
    return _SHAPE.fullmatch(str(result.get("type"))[:60]) is not None


def _id(result: Mapping[str, object], number: int) -> str:
    """What results of one region share; something of its own for a result without an id."""
    own = result.get("id")
    return f"id {own}" if isinstance(own, str) and own else f"result {number}"


def _unsupported(result: object, number: int) -> Problem:
    """The problem of a result that is not read, without its file."""
    entry = as_mapping(result)
    kind = short(entry.get("type", "not an object"))
    outlines = _is_shape(entry) or kind.lower() == "labels" or "x" in as_mapping(entry.get("value"))
    detail = f"result {number} is {kind}; only rectanglelabels, and rectangle with labels, are read"
    if outlines or not isinstance(result, dict):
        return Problem("unsupported_result", "", detail, "dropped_box")
    return Problem("unused_result", "", detail, "kept")


def _at(problem: Problem, where: str) -> Problem:
    return Problem(problem.kind, where, problem.detail, problem.action)


def _unused(region: _Region, labels: list[str], where: str) -> Iterable[Problem]:
    """A problem for each result of a rectangle besides its label: no object is lost, but what it says is not used."""
    for number, result in region.others:
        kind = short(result.get("type", ""))
        if kind != "labels":
            value = as_mapping(result.get("value"))
            # The words of a `textarea` stand under `text`.
            content = value.get(kind, value.get("text"))
            values = ", ".join(map(short, content)) if isinstance(content, list) else short(content)
            label = object_name(region.number, ", ".join(labels))
            detail = f"{label}: its {kind} ({shortened(values)}) is not used: result {number}"
            yield Problem("unused_result", where, detail, "kept")


def _box(
    result: Mapping[str, object], number: int, labels: list[str], size: _Size, where: str
) -> tuple[list[float] | None, list[Problem]]:
    """`[xmin, ymin, xmax, ymax]` in pixels, in fractions where `size` is not known; or None and its problems."""
    label = object_name(number, ", ".join(labels))
    value = as_mapping(result.get("value"))
    numbers = [_finite(value.get(key)) for key in _SIDES]
    x, y, width, height = (side / 100 for side in numbers)
    rotation = _finite(value.get("rotation") or 0)
    image_rotation = _finite(result.get("image_rotation") or 0)
    kind, detail = "unreadable_object", ""
    if not all(map(math.isfinite, (*numbers, rotation, image_rotation))):
        values = ", ".join(f"{key} {short(value.get(key))}" for key in (*_SIDES, "rotation"))
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


def _labels(region: _Region) -> list[str]:
    """The names of a rectangle, one object each; an object without a name has an empty one."""
    results = [region.shape, *(result for _, result in region.others)]
    names: list[object] = []
    for result in results:
        for key in ("rectanglelabels", "labels"):
            found = as_mapping(result.get("value")).get(key) if result.get("type") == key else None
            names += found if isinstance(found, list) else [] if found is None else [found]
    return [name if isinstance(name, str) else "" for name in names] or [""]


def _size(result: object) -> _Size | None:
    sides = [_finite(as_mapping(result).get(key)) for key in ("original_width", "original_height")]
    if not all(math.isfinite(side) and side >= 1 for side in sides):
        return None
    return _Size(int(sides[0]), int(sides[1]))


def _finite(value: object) -> float:
    """`value` as a number; NaN for anything else, and for numbers larger than any image's: results stay finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if abs(value) < _MAX_NUMBER else math.nan


def as_mapping(value: object) -> Mapping[str, object]:
    """`value`, or {} for what is no mapping."""
    return value if isinstance(value, dict) else {}


def short(value: object) -> str:
    """At most 60 characters of `value`; for a list or a mapping the name of its type."""
    is_plain = isinstance(value, str | int | float) and not _is_long(value)
    return printable(str(value)[:60]) if is_plain else type(value).__name__


def _is_long(value: object) -> bool:
    """Whether Python would refuse to write the number."""
    return isinstance(value, int) and abs(value) > 10**18
