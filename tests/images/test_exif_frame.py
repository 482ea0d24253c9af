"""Boxes in images as shown and as stored: the one is what Pillow makes of the other."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from tasks.images.exif_frame import TURNED, to_shown, to_stored


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_where_the_pixels_are_and_comes_back(orientation: int) -> None:
    pixels = np.zeros((30, 40), np.uint8)
    pixels[5:12, 20:38] = 255
    stored = Image.fromarray(pixels)
    exif = stored.getexif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    shown = np.asarray(ImageOps.exif_transpose(stored))
    rows, columns = np.nonzero(shown)
    height, width = shown.shape
    box = np.array([[20.0, 5, 38, 12]])
    turned = to_shown(box, orientation, width=width, height=height)
    assert turned.tolist() == [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]
    assert (orientation in TURNED) == ((width, height) == (30, 40))
    np.testing.assert_array_equal(to_stored(turned, orientation, width=40, height=30), box)
