"""What a data set consists of, counted: boxes and images of each class, and boxes by how large they are."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from tasks.dataset.boxes import area
from tasks.dataset.dataset import AnnotatedImage, Dataset

# No part that is cut from so few images measures anything: none is (docs/few-images.md).
FEW_IMAGES = 15
# The root of a box's share of its image, in percent: what a side is of the image's, were both square.
SIZE_EDGES_PERCENT = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100)


def image_counts(images: Iterable[AnnotatedImage]) -> dict[str, int]:
    """How many images show each class."""
    counts: dict[str, int] = {}
    for image in images:
        for name in set(image.classes):
            counts[name] = counts.get(name, 0) + 1
    return counts


def class_rows(parts: Mapping[str, Dataset]) -> list[dict[str, Any]]:
    """For each class, the one with most boxes first: its name, images and boxes, and boxes by part."""
    boxes = {name: part.box_counts() for name, part in parts.items()}
    images = image_counts(image for part in parts.values() for image in part.images)
    rows = [
        {
            "class": name,
            "images": images.get(name, 0),
            "boxes": sum(counts[name] for counts in boxes.values()),
            **{part: counts[name] for part, counts in boxes.items()},
        }
        for name in dict.fromkeys(name for part in parts.values() for name in part.classes)
    ]
    return sorted(rows, key=lambda row: (-row["boxes"], row["class"]))


def size_rows(parts: Mapping[str, Dataset]) -> list[dict[str, Any]]:
    """For each range of sizes, the smallest first: its name, boxes, and boxes by part.

    The names sort as the sizes do, because plots sort by name.
    """
    counts = {name: _by_size(part.images) for name, part in parts.items()}
    ranges = pairwise(SIZE_EDGES_PERCENT)
    return [
        {
            "side": f"{low:02d}-{high:02d} %",
            "boxes": sum(found[i] for found in counts.values()),
            **{part: found[i] for part, found in counts.items()},
        }
        for i, (low, high) in enumerate(ranges)
    ]


def _by_size(images: Iterable[AnnotatedImage]) -> list[int]:
    shares = [np.sqrt(area(image.boxes) / (image.width * image.height)) for image in images if len(image.boxes)]
    percent = np.clip(100 * np.concatenate(shares), 0, 100) if shares else np.zeros(0)
    counts: list[int] = np.histogram(percent, bins=SIZE_EDGES_PERCENT)[0].tolist()
    return counts
