"""Images with objects in known places, detections of a noisy detector in them, and labels with planted mistakes."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tasks.dataset.boxes import as_boxes, clip
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections

SIDE = 400


def scenes(count: int, *, classes: tuple[str, ...] = ("cat", "dog"), seed: int = 0) -> Dataset:
    """Images of 400 x 400 px with two objects each, one in the left and one in the right half."""
    rng = np.random.default_rng(seed)
    images = []
    for number in range(count):
        corner = np.add(rng.uniform([20, 20], [60, 200], (2, 2)), [[0, 0], [200, 0]])
        boxes = np.concatenate([corner, corner + rng.uniform(80, 120, (2, 2))], axis=1)
        names = tuple(str(name) for name in rng.choice(classes, 2))
        images.append(labelled(f"photos/{number:03}.jpg", boxes, names))
    return Dataset(Path("data"), classes, tuple(images))


def labelled(name: str, boxes: Any, classes: tuple[str, ...]) -> AnnotatedImage:
    """An image with labels; its content is that of its name."""
    content = hashlib.sha256(name.encode()).hexdigest()
    n = len(classes)
    return AnnotatedImage(name, SIDE, SIDE, as_boxes(boxes), classes, flags(n), flags(n), sha256=content)


def detections(truth: Dataset, *, seed: int = 1) -> list[Detections]:
    """Of each object one detection, off by a few pixels, and three on nothing with low scores."""
    rng = np.random.default_rng(seed)
    found = []
    for image in truth.images:
        n = len(image.classes)
        boxes = clip(image.boxes + rng.normal(0.0, 4.0, (n, 4)), width=SIDE, height=SIDE)
        corner = rng.uniform(0, 300, (3, 2))
        names = (*image.classes, *(str(name) for name in rng.choice(truth.classes, 3)))
        scores = np.concatenate([rng.uniform(0.5, 0.95, n), rng.uniform(0.02, 0.2, 3)])
        rows = np.concatenate([boxes, np.concatenate([corner, corner + 80], axis=1)])
        order = np.argsort(-scores)
        found.append(Detections(rows[order], tuple(names[i] for i in order), scores[order]))
    return found


def with_image(dataset: Dataset, place: int, image: AnnotatedImage) -> Dataset:
    """The data set with another image at `place`."""
    images = list(dataset.images)
    images[place] = image
    return replace(dataset, images=tuple(images))


def relabelled(image: AnnotatedImage, boxes: Any, classes: tuple[str, ...]) -> AnnotatedImage:
    """The image with other labels."""
    n = len(classes)
    return replace(
        image,
        boxes=as_boxes(boxes),
        classes=classes,
        difficult=flags(n),
        iscrowd=flags(n),
    )
