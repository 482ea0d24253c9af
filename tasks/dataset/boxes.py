"""Boxes: float64 `(N, 4)` arrays in absolute pixels, `[xmin, ymin, xmax, ymax]` (XYXY_ABS).

This is the one layout inside the project. Files and TensorFlow have others; `formats/` and `detector/` convert once,
with the functions below.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
# One box as plain numbers.
Corners = tuple[float, float, float, float]


def as_boxes(rows: Iterable[Sequence[float]] | npt.ArrayLike) -> Boxes:
    """`(N, 4)` float64 from anything that holds four numbers a row; no rows give `(0, 4)`.

    Raises:
        ValueError: the rows do not have four numbers each.
    """
    boxes = np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), dtype=np.float64)  # type: ignore[arg-type]
    if boxes.size == 0:
        return np.zeros((0, 4), dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"expected boxes of shape (N, 4), but got {boxes.shape}")
    return boxes


def corners(box: npt.NDArray[np.float64]) -> Corners | None:
    """One box, `(4,)`, as plain numbers; None where one of them is not finite."""
    xmin, ymin, xmax, ymax = (float(value) for value in box)
    return (xmin, ymin, xmax, ymax) if np.isfinite(box).all() else None


def area(boxes: Boxes) -> npt.NDArray[np.float64]:
    """`(N,)` areas in square pixels; an inverted box has area 0."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def clip(boxes: Boxes, *, width: float, height: float) -> Boxes:
    """The part of each box inside an image of `width` x `height` pixels; a box outside it gets area 0."""
    limits = np.array([width, height, width, height], dtype=np.float64)
    return np.clip(boxes, 0.0, limits)


def intersection(a: Boxes, b: Boxes) -> npt.NDArray[np.float64]:
    """`(N, M)` areas, in square pixels, that each box of `a` shares with each of `b`."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.clip(bottom_right - top_left, 0.0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def iou(a: Boxes, b: Boxes) -> npt.NDArray[np.float64]:
    """`(N, M)` intersection over union, in 0..1; a pair whose union is empty has 0."""
    shared = intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def to_tf(boxes: Boxes, *, height: float, width: float) -> Boxes:
    """`[ymin, xmin, ymax, xmax]` in 0..1: what `tf.train.Example` and the OD API expect."""
    return np.asarray(boxes[:, [1, 0, 3, 2]] / np.array([height, width, height, width], dtype=np.float64))


def from_tf(boxes: Boxes, *, height: float, width: float) -> Boxes:
    """Pixels from the OD API's `[ymin, xmin, ymax, xmax]` in 0..1; the inverse of `to_tf`."""
    return np.asarray(boxes[:, [1, 0, 3, 2]] * np.array([width, height, width, height], dtype=np.float64))


def to_xywh(boxes: Boxes) -> Boxes:
    """`[x, y, width, height]` in pixels: what COCO JSON holds."""
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def from_xywh(boxes: Boxes) -> Boxes:
    """Pixels from COCO's `[x, y, width, height]`; the inverse of `to_xywh`."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def from_fractions(boxes: Boxes, *, height: float, width: float) -> Boxes:
    """Pixels from `[xmin, ymin, xmax, ymax]` in fractions of the image's size."""
    return np.asarray(boxes * np.array([width, height, width, height], dtype=np.float64))
