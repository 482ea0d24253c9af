"""A picture seen in perspective."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

Point = tuple[float, float]


def perspective(image: Image.Image, corners: Sequence[Point], size: tuple[int, int]) -> Image.Image:
    """A picture of `size` in which the corners of `image` (from the upper left, clockwise) lie at `corners`.

    Outside of them a picture with alpha is transparent, another is black.
    """
    width, height = image.size
    sources = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, values = [], []
    # Pillow asks where in `image` each pixel of the result comes from: (ax + by + c) / (gx + hy + 1), likewise for y.
    for (x, y), (u, v) in zip(corners, sources, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows, dtype=np.float64), np.array(values, dtype=np.float64))
    # NumPy's floats would make Pillow's transform a hundred times slower on some versions.
    return image.transform(size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC)
