"""Boxes on an image as viewers show it, turned by its EXIF orientation, and on the pixels as stored."""

import numpy as np

from tasks.dataset.boxes import Boxes

# Orientations that exchange width and height.
TURNED = frozenset({5, 6, 7, 8})


def to_stored(boxes: Boxes, orientation: int, *, width: int, height: int) -> Boxes:
    """`(N, 4)` boxes in the stored image, `width` x `height` pixels, from boxes in the image as shown.

    `orientation` is EXIF's, 1 to 8 (CIPA DC-008, table of tag Orientation).
    """
    u, v = boxes[:, [0, 2]], boxes[:, [1, 3]]
    x, y = (v, u) if orientation in TURNED else (u, v)
    if orientation in (2, 3, 7, 8):
        x = width - x
    if orientation in (3, 4, 6, 7):
        y = height - y
    return np.stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)], axis=1) if len(boxes) else boxes


def to_shown(boxes: Boxes, orientation: int, *, width: int, height: int) -> Boxes:
    """The inverse of `to_stored`: boxes in the image as shown, which has `width` x `height` pixels."""
    # Turning back is turning the other way; every other orientation undoes itself.
    return to_stored(boxes, {6: 8, 8: 6}.get(orientation, orientation), width=width, height=height)
