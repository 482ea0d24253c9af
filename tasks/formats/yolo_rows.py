"""What the numbers of a YOLO row mean: a box, a box with values after it, or a polygon.

A row is `class cx cy w h`, in fractions of the image's size. After the box some tools write key points (x y, or
x y visibility), a confidence, a track's id. Segmentation labels have the corners of a polygon instead. No row says
which it is: `kpt_shape` in data.yaml does, else the numbers of all rows together. Where these do not, reading stops.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import FormatError
from tasks.ground.numbers import finite_number
from tasks.ground.text import quoted

Meaning = Literal["box", "polygon"]
Floats = NDArray[np.float64]
# A box may leave its image; one that is ten images away was written in pixels.
_MAX_FRACTION = 10.0
# A corner may leave the image by a careless stroke; a visibility of 2 or a track's id is further out.
_MAX_CORNER = 1.1
# Key points may lie a little outside their box, and a box outside its image.
_SLACK = 0.02
# What key points span of their box, at least, in both directions. The first corner of a polygon, read as the centre of
# a box, has no other corners around it that would fill that box.
_LEAST_SPAN = 0.5
# What spans less of it in both directions is a small polygon rather than a box with key points in one corner.
_SMALL_SPAN = 0.2
# A polygon has its first two corners near the others: of five corners most times, of seven nearly always.
_TELLING_LENGTH = 10
_CERTAIN_LENGTH = 14
# One data set holds one kind of long row: what so many times more rows say holds for the others, too.
_CLEAR_MAJORITY = 20
_REMEDY = (
    "if each row is a box and N points of 2 (or 3) numbers, write kpt_shape: [N, 2] (or [N, 3]) into data.yaml; "
    "if all such rows are polygons, kpt_shape: [0, 2]; else remove what follows the boxes"
)
_EXPECTED = "expected class cx cy w h, or a class and the corners of a polygon"


class KeyPoints(NamedTuple):
    """`kpt_shape` of data.yaml: how many key points follow a box; 0 says that long rows are polygons."""

    points: int
    numbers: int


class Row(NamedTuple):
    """The numbers of one row, read in both ways.

    Attributes:
        length: how many numbers follow the class.
        box: `[xmin, ymin, xmax, ymax]` in fractions, if the first four are a box; None where they cannot be.
        outline: the same of the box around all numbers, if they are corners; None where they cannot be.
        meaning: what the row alone says; None where it does not.
    """

    length: int
    box: list[float] | None
    outline: list[float] | None
    meaning: Meaning | None

    @property
    def is_long(self) -> bool:
        """Whether there is more than a box and one value after it."""
        return self.length > 5

    def box_as(self, meaning: Meaning | None) -> list[float]:
        """`[xmin, ymin, xmax, ymax]` in fractions of the image, where long rows have this meaning.

        Raises:
            ValueError: the numbers do not allow it.
        """
        box = self.outline if self.is_long and meaning != "box" else self.box
        if box is None:
            what = "no box that can be" if meaning == "box" else "neither a box nor the corners of a polygon"
            raise ValueError(f"{self.length + 1} values: {what}; {_EXPECTED}")
        return box


def read_row(fields: Sequence[str], key_points: KeyPoints | None) -> Row:
    """The numbers `fields` that follow the class.

    Raises:
        ValueError: they are neither a box nor a polygon; the message says why.
    """
    if len(fields) < 4:
        raise ValueError(f"{len(fields) + 1} values; {_EXPECTED}")
    values = np.array([_number(text) for text in fields], dtype=np.float64)
    largest = max(values[:4].tolist(), key=abs)
    if abs(largest) > _MAX_FRACTION:
        raise ValueError(f"{largest:g} is no fraction of the image's size; expected fractions, not pixels")
    if len(values) <= 5:
        return Row(len(values), _box(values), None, "box")
    if key_points is None:
        return _long_row(values)
    if key_points.points == 0:
        return Row(len(values), None, _outline(values), "polygon")
    expected = 4 + key_points.points * key_points.numbers
    if not expected <= len(values) <= expected + 2:
        shape = f"{key_points.points} key points of {key_points.numbers} numbers"
        raise ValueError(f"{len(values) + 1} values; kpt_shape in data.yaml says class cx cy w h and {shape}")
    return Row(len(values), _box(values), None, "box")


def meaning_of_long_rows(rows: Iterable[tuple[str, Row]]) -> Meaning | None:
    """What the long rows of a data set are, each given with its place; None where there are none, or none is readable.

    Raises:
        FormatError: they can be both, or some say one thing and some the other; the message names a line.
    """
    counts = {"box": 0, "polygon": 0}
    example: dict[Meaning | None, str] = {}
    for where, row in rows:
        if row.meaning is not None:
            counts[row.meaning] += 1
        if row.meaning is not None or (row.box and row.outline):
            example.setdefault(row.meaning, where)
    boxes, polygons = counts["box"], counts["polygon"]
    if boxes > _CLEAR_MAJORITY * polygons:
        return "box"
    if polygons > _CLEAR_MAJORITY * boxes:
        return "polygon"
    if boxes:
        found = f"{boxes} rows are boxes with values after them, {polygons} are polygons"
        raise FormatError(f"{example['box']} and {example['polygon']}: {found}, as it seems; {_REMEDY}")
    if None in example:
        raise FormatError(f"{example[None]}: can be a box with values after it, or a polygon; {_REMEDY}")
    return None


def _number(text: str) -> float:
    value = finite_number(text)
    if value is None:
        raise ValueError(f"{quoted(text)} is not a number")
    return value


def _box(values: Floats) -> list[float]:
    cx, cy, width, height = values[:4].tolist()
    return [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]


def _outline(values: Floats) -> list[float] | None:
    """The box around the corners `values`; None where one of them is no corner."""
    if len(values) % 2 or values.min() < 1 - _MAX_CORNER or values.max() > _MAX_CORNER:
        return None
    points = values.reshape(-1, 2)
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def _long_row(values: Floats) -> Row:
    box = _box(values) if values[2:4].min() > 0 else None
    outline = _outline(values)
    spans = _spans_of_box(values, box) if box else None
    if outline is None:
        return Row(len(values), box, None, None if spans is None else "box")
    near = _starts_near_the_others(values)
    meaning: Meaning | None = None
    if spans is None:
        meaning = None if near is False else "polygon"
    elif min(spans) >= _LEAST_SPAN or (near is False and len(values) >= _CERTAIN_LENGTH):
        meaning = "box"
    elif near and max(spans) < _SMALL_SPAN:
        meaning = "polygon"
    return Row(len(values), box, outline, meaning)


def _spans_of_box(values: Floats, box: Sequence[float]) -> list[float] | None:
    """How much of the width and height of the box of the first four numbers the later ones span, as key points.

    None where they do not go with such a box, or it is not in the image.
    """
    xmin, ymin, xmax, ymax = box
    if min(xmin, ymin) < -_SLACK or max(xmax, ymax) > 1 + _SLACK:
        return None
    spans = [_spans(points, seen, values[:4]) for points, seen in _readings(values[4:])]
    return max((span for span in spans if span is not None), default=None, key=min)


def _readings(rest: Floats) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    """The key points that `rest` can be, and which of them are seen, with up to two values after them."""
    for extra in range(3):
        if extra and not _are_confidence_and_id(rest[-extra:]):
            continue
        numbers = rest[: len(rest) - extra]
        if len(numbers) >= 3 and len(numbers) % 3 == 0:
            triples = numbers.reshape(-1, 3)
            seen = triples[:, 2]
            if np.isin(seen, (0, 1, 2)).all() or (seen.min() >= 0 and seen.max() <= 1):
                yield triples[:, :2], seen > 0
        if len(numbers) % 2 == 0:
            yield numbers.reshape(-1, 2), np.ones(len(numbers) // 2, dtype=np.bool_)


def _spans(points: Floats, seen: NDArray[np.bool_], box: Floats) -> list[float] | None:
    """How much of a box `[cx, cy, w, h]` its key points span, by direction; None where it does not hold them all."""
    there = points[seen & points.any(axis=1)]
    if (np.abs(there - box[:2]) > box[2:] / 2 + _SLACK).any():
        return None
    return (np.ptp(there, axis=0) / box[2:]).tolist() if len(there) else [0.0, 0.0]


def _are_confidence_and_id(values: Floats) -> bool:
    """Whether `values`, one or two, can be a confidence, a track's id, or both in either order."""
    whole = (values >= 0) & (values == np.floor(values))
    fractions = (values >= 0) & (values <= 1)
    return bool((whole | fractions).all() and (len(values) == 1 or whole.any()))


def _starts_near_the_others(values: Floats) -> bool | None:
    """Whether, as a polygon, the first two corners are near the others; None where so few corners do not show it."""
    points = values.reshape(-1, 2)
    if len(values) < _TELLING_LENGTH:
        # A turned rectangle shows what it is in another way: two corners and their opposites have one centre.
        side = float(np.ptp(points, axis=0).max())
        if len(points) == 4 and np.abs(points[0] + points[2] - points[1] - points[3]).max() <= 0.05 * side:
            return True
        return None
    rest = points[2:]
    side = float(np.ptp(rest, axis=0).max())
    low, high = rest.min(axis=0) - side, rest.max(axis=0) + side
    return bool(((points[:2] >= low) & (points[:2] <= high)).all())
