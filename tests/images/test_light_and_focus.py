"""How bright and how sharp a photo is, whatever its size."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tasks.images.light_and_focus import light_and_focus


def photo(width: int = 640, height: int = 480) -> Image.Image:
    """Shapes of some size, as photos have them: large noise, scaled up."""
    coarse = np.random.default_rng(1).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.NEAREST)


def test_brightness_is_the_mean_grey_value() -> None:
    assert light_and_focus(np.full((48, 64, 3), 77, dtype=np.uint8)) == (77.0, 0.0)
    half = np.zeros((64, 64, 3), dtype=np.uint8)
    half[:, 32:] = 200
    assert light_and_focus(half).brightness == pytest.approx(100, abs=1)


def test_a_blurred_photo_is_less_sharp_and_as_bright() -> None:
    sharp = light_and_focus(np.asarray(photo()))
    blurred = light_and_focus(np.asarray(photo().filter(ImageFilter.GaussianBlur(6))))
    assert blurred.sharpness < sharp.sharpness / 2
    assert blurred.brightness == pytest.approx(sharp.brightness, abs=2)


def test_a_dark_photo_is_as_sharp() -> None:
    light = light_and_focus(np.asarray(photo()))
    dark = light_and_focus((np.asarray(photo()) // 4).astype(np.uint8))
    assert dark.brightness < light.brightness / 3
    assert dark.sharpness == pytest.approx(light.sharpness, rel=0.05)


def test_size_does_not_matter() -> None:
    small, large = (light_and_focus(np.asarray(photo(*size))) for size in ((640, 480), (2560, 1920)))
    assert large.brightness == pytest.approx(small.brightness, abs=1)
    assert large.sharpness == pytest.approx(small.sharpness, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 2000, 3), (2, 3, 3)])
def test_tiny_photos_are_measured(shape: tuple[int, int, int]) -> None:
    measured = light_and_focus(np.full(shape, 9, dtype=np.uint8))
    assert measured == (9.0, 0.0)
