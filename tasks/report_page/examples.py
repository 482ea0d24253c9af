"""Examples of each kind of problem: small pictures with the boxes concerned, and the problems in words.

A box is drawn as the annotation had it, also outside the image, which is why a view can be larger than its picture.
"""

import base64
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, Corners, as_boxes, corners
from tasks.dataset.dataset import Problem
from tasks.images.drawing import Thumbnail

MOST_EXAMPLES = 6
OUTCOMES = ("dropped", "fixed", "kept")
# Of all pictures together, as JPEG: base64 makes a third more of it, and the whole page stays below ten megabytes.
_MOST_BYTES = 3_000_000
_MOST_LINES, _MOST_BOXES = 3, 40
# Shares of the image's longer side: how far around it boxes are drawn. Shares of the view's longer side: the side below
# which a box gets a ring, the ring's radius, and the free space around a box outside the image.
_MARGIN, _SMALL, _RING, _RIM = 0.5, 0.04, 0.05, 0.02

# Opens an image file and returns a small picture of it, or why there is none.
TakePicture = Callable[[Path], Thumbnail | str]
# x, y, width and height of what is shown, in pixels of the image.
View = tuple[float, float, float, float]


class Drawn(NamedTuple):
    """One box in pixels of the image: `outcome` is `dropped`, `fixed`, `kept`, or `passed` for a box without a fault.

    `ring` is the radius of a circle around a box that would be hard to see, else 0.
    """

    x: float
    y: float
    width: float
    height: float
    outcome: str
    ring: float

    @property
    def centre(self) -> tuple[float, float]:
        """Where the ring is."""
        return round(self.x + self.width / 2, 1), round(self.y + self.height / 2, 1)


@dataclass(frozen=True)
class Example:
    """What the page shows of one image, or of one problem without an image.

    Attributes:
        file: its name.
        lines: its problems of this kind, a few at most.
        more: how many problems are not among `lines`.
        picture: base64 of a JPEG; empty where there is none.
        why: why there is no picture.
        width, height: the image's, in pixels.
        view: how much of the image, and of what is around it.
        boxes: what is drawn, boxes without a fault first.
        beyond: whether a box reaches further out than is drawn.
    """

    file: str
    lines: tuple[Problem, ...]
    more: int
    picture: str = ""
    why: str = ""
    width: int = 1
    height: int = 1
    view: View = (0.0, 0.0, 1.0, 1.0)
    boxes: tuple[Drawn, ...] = ()
    beyond: bool = False


def examples(
    problems: Sequence[Problem], ingested: Container[str], passed: Mapping[str, Boxes], take: TakePicture
) -> dict[str, list[Example]]:
    """Up to six examples of each kind, those with an image first.

    `ingested` holds the images' paths, `passed` the boxes that went through the gate. Only images that `ingest`
    itself named are opened: a data set from elsewhere may bring problems that name any file.
    """
    chosen = {kind: _by_image(found, ingested)[:MOST_EXAMPLES] for kind, found in _by_kind(problems).items()}
    shown: dict[str, list[Example]] = {kind: [] for kind in chosen}
    left = _MOST_BYTES
    # One of each kind, then another of each: where the bytes run out, every kind has had its turn.
    for i in range(MOST_EXAMPLES):
        for kind, groups in chosen.items():
            if i < len(groups):
                path, found = groups[i]
                example, used = _example(path, found, passed, take if left > 0 else _page_is_full)
                shown[kind].append(example)
                left -= used
    return shown


def outcome_of(action: str) -> str:
    """`dropped`, `fixed` or `kept`; actions that are not ours leave things as they are."""
    first = action.partition("_")[0]
    return first if first in OUTCOMES else "kept"


def _by_kind(problems: Sequence[Problem]) -> dict[str, list[Problem]]:
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.kind, []).append(problem)
    return kinds


def _by_image(problems: Sequence[Problem], ingested: Container[str]) -> list[tuple[str, list[Problem]]]:
    """The problems of each image, in the order of their first; then those without an image, by file, as of path ""."""
    with_image: dict[str, list[Problem]] = {}
    without: dict[str, list[Problem]] = {}
    for problem in problems:
        path = problem.image or (problem.file if problem.file in ingested else "")
        (with_image if path else without).setdefault(path or problem.file, []).append(problem)
    return [*with_image.items(), *(("", found) for found in without.values())]


def _page_is_full(_: Path) -> str:
    return "left out, to keep this page small"


def _example(
    path: str, found: Sequence[Problem], passed: Mapping[str, Boxes], take: TakePicture
) -> tuple[Example, int]:
    """The example, and how many bytes its picture takes."""
    file, lines, more = path or found[0].file, tuple(found[:_MOST_LINES]), max(0, len(found) - _MOST_LINES)
    picture = take(Path(path)) if path else "no image belongs to it"
    if isinstance(picture, str):
        return Example(file, lines, more, why=picture), 0
    faulty = [(problem.box, outcome_of(problem.action)) for problem in found if problem.box is not None]
    sound = [] if faulty else [(box, "passed") for box in map(corners, passed.get(path, ())) if box is not None]
    view, boxes, beyond = _draw_boxes([*sound, *faulty][:_MOST_BOXES], picture.width, picture.height)
    encoded = base64.b64encode(picture.jpeg).decode("ascii")
    example = Example(file, lines, more, encoded, "", picture.width, picture.height, view, boxes, beyond)
    return example, len(picture.jpeg)


def _draw_boxes(boxes: Sequence[tuple[Corners, str]], width: int, height: int) -> tuple[View, tuple[Drawn, ...], bool]:
    """The view of an image of `width` x `height` pixels, its boxes, and whether any reaches out of the view."""
    if not boxes:
        return (0.0, 0.0, float(width), float(height)), (), False
    size = np.array([width, height], dtype=np.float64)
    pairs = as_boxes([box for box, _ in boxes]).reshape(-1, 2, 2)
    upright = np.stack([pairs.min(axis=1), pairs.max(axis=1)], axis=1)
    margin = _MARGIN * size.max()
    cut = np.clip(upright, -margin, size + margin)
    low, high = np.minimum(cut[:, 0].min(axis=0), 0), np.maximum(cut[:, 1].max(axis=0), size)
    longer = float((high - low).max())
    # Free space where a box ends outside the image, so that its line is seen whole.
    rim = _RIM * longer if (high - low > size).any() else 0.0
    drawn = tuple(_box(box, outcome, longer) for box, (_, outcome) in zip(cut, boxes, strict=True))
    x, y, across, down = (round(float(value), 1) for value in (*(low - rim), *(high - low + 2 * rim)))
    return (x, y, across, down), drawn, not np.array_equal(cut, upright)


def _box(box: npt.NDArray[np.float64], outcome: str, longer: float) -> Drawn:
    """`box` is `(2, 2)`, its corners; `longer` the longer side of the view."""
    x, y, width, height = (round(float(value), 1) for value in (*box[0], *(box[1] - box[0])))
    # Browsers draw nothing of a box without a width or a height.
    hard_to_see = outcome != "passed" and (max(width, height) < _SMALL * longer or min(width, height) <= 0)
    return Drawn(x, y, width, height, outcome, round(_RING * longer, 1) if hard_to_see else 0.0)
