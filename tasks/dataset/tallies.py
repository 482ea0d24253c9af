"""What a data set consists of, counted: boxes and images of each class, and boxes by how large they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tasks.dataset.boxes import area
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.ground.text import text_to_plot

# No split of so few images measures anything: val and test stay empty (docs/few-images.md).
FEW_IMAGES = 15
# The root of a box's share of its image, in percent: what a side is of the image's, were both square.
SIZE_EDGES_PERCENT = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100)


@dataclass(frozen=True)
class ClassTally:
    """How often a class occurs.

    Attributes:
        name: the class.
        images: how many images show it, in all splits.
        boxes: how many boxes it has, in all splits.
        boxes_by_split: how many boxes it has in each.
    """

    name: str
    images: int
    boxes: int
    boxes_by_split: Mapping[str, int]


def image_counts(images: Iterable[AnnotatedImage]) -> dict[str, int]:
    """How many images show each class."""
    counts: dict[str, int] = {}
    for image in images:
        for name in set(image.classes):
            counts[name] = counts.get(name, 0) + 1
    return counts


def class_tallies(splits: Mapping[str, Dataset]) -> list[ClassTally]:
    """One tally a class, also of those without a box; the class with most boxes first."""
    boxes = {split: dataset.box_counts() for split, dataset in splits.items()}
    images = image_counts(image for dataset in splits.values() for image in dataset.images)
    tallies = [
        ClassTally(
            name,
            images.get(name, 0),
            sum(counts[name] for counts in boxes.values()),
            {split: counts[name] for split, counts in boxes.items()},
        )
        for name in dict.fromkeys(name for dataset in splits.values() for name in dataset.classes)
    ]
    return sorted(tallies, key=lambda tally: (-tally.boxes, tally.name))


def class_rows(tallies: Sequence[ClassTally]) -> list[dict[str, str | int]]:
    """Rows of a plot, in the order of `tallies`: `class`, `images`, `boxes`, and the boxes of each split.

    The names of classes are as `text_to_plot` writes them.
    """
    return [
        {
            "class": text_to_plot(tally.name),
            "images": tally.images,
            "boxes": tally.boxes,
            **tally.boxes_by_split,
        }
        for tally in tallies
    ]


def size_rows(splits: Mapping[str, Dataset]) -> list[dict[str, str | int]]:
    """Rows of a plot, one for each range of sizes, the smallest first: `side`, `boxes`, and the boxes of each split.

    The names of the ranges sort as the sizes do, because plots sort by name.
    """
    counts = {split: _counts_by_size(dataset.images) for split, dataset in splits.items()}
    return [
        {
            "side": f"{low:02d}-{high:02d} %",
            "boxes": sum(by_size[i] for by_size in counts.values()),
            **{split: by_size[i] for split, by_size in counts.items()},
        }
        for i, (low, high) in enumerate(pairwise(SIZE_EDGES_PERCENT))
    ]


def _counts_by_size(images: Iterable[AnnotatedImage]) -> list[int]:
    shares = [np.sqrt(area(image.boxes) / (image.width * image.height)) for image in images if len(image.boxes)]
    percent = np.clip(100 * np.concatenate(shares), 0, 100) if shares else np.zeros(0)
    counts: list[int] = np.histogram(percent, bins=SIZE_EDGES_PERCENT)[0].tolist()
    return counts
