"""Short ways to write down images, boxes and detections."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections

Row = tuple[Sequence[float], str]


def annotated(*rows: Row, crowd: Sequence[int] = ()) -> AnnotatedImage:
    """An image of 200 x 200 px with `(box, class)` rows."""
    return AnnotatedImage(
        file_name="a.jpg",
        width=200,
        height=200,
        boxes=as_boxes([row[0] for row in rows]),
        classes=tuple(row[1] for row in rows),
        difficult=flags(len(rows)),
        iscrowd=flags(len(rows), (i in crowd for i in range(len(rows)))),
    )


def dataset(*images: AnnotatedImage, classes: Sequence[str] = ("cat", "dog")) -> Dataset:
    return Dataset(root=Path("images"), classes=tuple(classes), images=images)


def detect(*rows: tuple[Sequence[float], str, float]) -> Detections:
    """Detections from `(box, class, score)` rows."""
    scores = np.array([row[2] for row in rows], dtype=np.float64)
    return Detections(as_boxes([row[0] for row in rows]), tuple(row[1] for row in rows), scores)
