"""Mistakes planted into labels: what people get wrong, to learn what the evidence of it looks like."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, area, clip, iou
from tasks.dataset.dataset import AnnotatedImage

# A misplaced box is off by these shares of its sides, in both directions.
_SHIFT = (0.2, 0.45)
# A box on nothing may touch labelled things, but not cover them.
_ON_NOTHING_BELOW = 0.1


def shifted_boxes(image: AnnotatedImage, rng: np.random.Generator) -> Boxes:
    """`(L, 4)` the boxes of an image, each off by 20 to 45 % of its sides; cut at the image's edges."""
    sides = image.boxes[:, 2:] - image.boxes[:, :2]
    offset = sides * rng.uniform(*_SHIFT, (len(sides), 1)) * rng.choice([-1.0, 1.0], sides.shape)
    return clip(image.boxes + np.tile(offset, 2), width=image.width, height=image.height)


def other_classes(
    classes: npt.NDArray[np.str_], names: Sequence[str], rng: np.random.Generator
) -> npt.NDArray[np.str_]:
    """`(L,)` another of `names`, of which there are two or more, for each of `classes`."""
    number = {name: i for i, name in enumerate(names)}
    own = np.array([number[name] for name in classes], dtype=np.int64)
    return np.asarray(np.array(names, str)[(own + rng.integers(1, len(names), len(own))) % len(names)])


def boxes_on_nothing(image: AnnotatedImage, shapes: Boxes, count: int, rng: np.random.Generator) -> Boxes:
    """Up to `count` boxes, `(N, 4)`, with the relative sides of labels anywhere, where the image has no label.

    `shapes` is `(S, 2)`: width and height of labels as shares of their image's.
    """
    sides = shapes[rng.integers(len(shapes), size=count)] * [image.width, image.height]
    corner = rng.uniform(0.0, 1.0, (count, 2)) * ([image.width, image.height] - sides)
    boxes = np.concatenate([corner, corner + sides], axis=1)
    free = iou(boxes, image.boxes).max(axis=1, initial=0.0) < _ON_NOTHING_BELOW
    return np.asarray(boxes[free & (area(boxes) > 0)])


def relative_sides(images: Sequence[AnnotatedImage]) -> npt.NDArray[np.float64]:
    """`(S, 2)` width and height of every label as shares of its image's."""
    rows = [
        (image.boxes[:, 2:] - image.boxes[:, :2]) / [image.width, image.height]
        for image in images
        if image.classes and image.width and image.height
    ]
    return np.clip(np.concatenate(rows), 0.0, 1.0) if rows else np.zeros((0, 2))
