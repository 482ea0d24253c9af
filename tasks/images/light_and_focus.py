"""How bright and how sharp a photo is, at one size whatever its own."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

# About what models scale photos to: finer blur they do not see.
_LONGER_SIDE_PX = 320


class LightAndFocus(NamedTuple):
    """Of one photo.

    Attributes:
        brightness: the mean grey value, 0..255.
        sharpness: the variance of the Laplacian by the variance of the grey values, from 0 up; 0 where all pixels are
            equal. The first alone, the usual measure (Pech-Pacheco et al., 2000), takes a dark photo for a blurred one.
    """

    brightness: float
    sharpness: float


def light_and_focus(photo: npt.NDArray[np.uint8]) -> LightAndFocus:
    """Of an uint8 `(H, W, 3)` RGB photo, its longer side scaled to 320 pixels."""
    height, width = photo.shape[:2]
    scale = _LONGER_SIDE_PX / max(height, width)
    size = (max(3, round(width * scale)), max(3, round(height * scale)))
    grey = np.asarray(Image.fromarray(photo).convert("L").resize(size, Image.Resampling.BOX)).astype(np.float64)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    spread = float(inner.var())
    return LightAndFocus(float(grey.mean()), float(laplacian.var()) / spread if spread > 0 else 0.0)
