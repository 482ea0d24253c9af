"""Photos at the one small size that is embedded, whatever their own."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image

# Gives N photos, uint8 `(H, W, 3)` RGB and read one by one, vectors `(N, width)`.
Embed = Callable[[Iterable[npt.NDArray[np.uint8]]], npt.NDArray[np.float32]]

# What the embedding's weights were trained at.
SIDE_PX = 224


def small_square(photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """`(SIDE_PX, SIDE_PX, 3)` of an uint8 `(H, W, 3)` RGB photo, its sides scaled each by itself, as detectors see it.

    A photo of that size stays as it is.
    """
    return np.asarray(Image.fromarray(photo).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR, reducing_gap=2.0))
