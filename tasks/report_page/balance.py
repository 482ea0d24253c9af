"""How many boxes each class has, and how large they are beside the model's anchors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import image_counts
from tasks.model.anchors import best_iou, box_sizes
from tasks.model.geometry import ModelGeometry
from tasks.report_page.size_plot import size_svg

_UNEVEN = 10
_FIRST = 30


@dataclass(frozen=True)
class ClassBalance:
    """How many images and boxes of one class there are.

    Attributes:
        read, passed: `(images, boxes)` before the gate and after it.
        bars: of each split its name, its boxes, and their share of the largest class's boxes.
        dropped_share: boxes that did not pass, as a share of the largest class's boxes.
    """

    name: str
    colour: str
    read: tuple[int, int]
    passed: tuple[int, int]
    bars: list[tuple[str, int, float]]
    dropped_share: float


@dataclass(frozen=True)
class Balance:
    """The classes, those with most boxes first: some are shown, the others folded away.

    Attributes:
        uneven: a sentence where the largest class has more than ten times the boxes of the smallest, else empty.
    """

    rows: list[ClassBalance]
    folded: list[ClassBalance]
    uneven: str


@dataclass(frozen=True)
class FitRow:
    """The boxes of one class at the model's input: roots of their areas in pixels, and how many no anchor matches."""

    name: str
    boxes: int
    smallest: float
    median: float
    largest: float
    beyond: int
    share: float


@dataclass(frozen=True)
class AnchorFit:
    """How the model's anchors fit the data set's boxes.

    Attributes:
        svg: a drawing of both; None without boxes.
        boxes, beyond: how many boxes there are, and how many no anchor can match.
        rows: by class, the worst fit first.
        input: the model's input size, in words.
        matched_iou: from which IoU on an anchor matches.
        force_match: whether every box gets an anchor in training.
        anchors, levels: how many shapes of anchors there are, on how many levels.
        smallest, largest: roots of the anchors' areas, in pixels.
    """

    svg: Markup | None
    boxes: int
    beyond: int
    rows: list[FitRow]
    input: str
    matched_iou: float
    force_match: bool
    anchors: int
    levels: int
    smallest: float
    largest: float


def balance(before: Dataset, after: Dataset, of_split: Mapping[str, Dataset], colours: Mapping[str, str]) -> Balance:
    """Images and boxes of each class before and after the gate, and boxes by split."""
    read_boxes, read_images = before.box_counts(), image_counts(before.images)
    boxes, images = after.box_counts(), image_counts(after.images)
    split_boxes = {name: split.box_counts() for name, split in of_split.items()}
    passed = sorted(after.classes, key=lambda name: (-boxes[name], name))
    most = max([*read_boxes.values(), *boxes.values(), 1])
    rows = [
        ClassBalance(
            name=name,
            colour=colours.get(name, ""),
            read=(read_images.get(name, 0), read_boxes[name]),
            passed=(images.get(name, 0), boxes[name]),
            bars=[(split, counts[name], counts[name] / most) for split, counts in split_boxes.items()],
            dropped_share=max(0, read_boxes[name] - boxes[name]) / most,
        )
        for name in dict.fromkeys([*passed, *sorted(read_boxes)])
    ]
    return Balance(rows[:_FIRST], rows[_FIRST:], _uneven([(name, boxes[name]) for name in passed if boxes[name]]))


def _uneven(boxes: Sequence[tuple[str, int]]) -> str:
    if not boxes or boxes[0][1] <= _UNEVEN * boxes[-1][1]:
        return ""
    (most, most_boxes), (least, least_boxes) = boxes[0], boxes[-1]
    return (
        f"{most} has {most_boxes / least_boxes:.0f} times as many boxes as {least}: "
        "a rare class is learned late, and its figures rest on few boxes."
    )


def anchor_fit(dataset: Dataset, geometry: ModelGeometry) -> AnchorFit:
    """How the model's anchors fit the data set's boxes, in all and by class.

    A box counts as out of reach when no anchor overlaps it enough to match even with its centre on the box's. Crowds
    are left out: training does not match them.
    """
    sizes, names = box_sizes(dataset.images, geometry.resizer)
    reached = best_iou(sizes, geometry.anchors) >= geometry.matched_iou
    sides = np.sqrt(sizes.prod(axis=1))
    rows = [_fit_row(name, names == name, sides, reached) for name in dataset.classes if (names == name).any()]
    anchors = np.sqrt(geometry.anchors.sizes.prod(axis=1))
    return AnchorFit(
        svg=size_svg(sizes, reached, geometry, "sizes") if len(sizes) else None,
        boxes=len(sizes),
        beyond=int((~reached).sum()),
        rows=sorted(rows, key=lambda row: (-row.share, -row.boxes, row.name)),
        input=str(geometry.resizer),
        matched_iou=geometry.matched_iou,
        force_match=geometry.force_match,
        anchors=len(anchors),
        levels=len(geometry.anchors.levels),
        smallest=float(anchors.min()),
        largest=float(anchors.max()),
    )


def _fit_row(
    name: str, mine: npt.NDArray[np.bool_], sides: npt.NDArray[np.float64], reached: npt.NDArray[np.bool_]
) -> FitRow:
    return FitRow(
        name=name,
        boxes=int(mine.sum()),
        smallest=float(sides[mine].min()),
        median=float(np.median(sides[mine])),
        largest=float(sides[mine].max()),
        beyond=int((mine & ~reached).sum()),
        share=float((~reached[mine]).mean()),
    )
