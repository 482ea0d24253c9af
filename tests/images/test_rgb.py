import numpy as np
import pytest
from PIL import Image

from tasks.images.rgb import as_grey, as_rgb


def transparent_palette():
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 0
    return image


def rgba():
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    return image


@pytest.mark.parametrize("image", [transparent_palette(), rgba()], ids=["palette", "RGBA"])
def test_transparent_pixels_become_white(image):
    assert np.asarray(as_rgb(image)).tolist() == [[[255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(np.array([[0, 0x80FF, 0xFFFF]], dtype=np.uint16)),
        Image.fromarray(np.array([[0, 0x80FF, 0xFFFF]], dtype=np.int32)),
        Image.fromarray(np.array([[0, 128, 255]], dtype=np.float32)),
        Image.fromarray(np.array([[0, 128, 255]], dtype=np.uint8)),
    ],
    ids=["16 bit", "32 bit", "float", "8 bit"],
)
def test_grey_of_any_depth_keeps_its_shades(image):
    assert np.asarray(as_rgb(image))[0].tolist() == [[0] * 3, [128] * 3, [255] * 3]


def test_cmyk_becomes_rgb():
    assert as_rgb(Image.new("CMYK", (1, 1), (0, 255, 255, 0))).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "1", "P", "CMYK", "I;16", "I", "F"])
def test_grey_made_in_strips_equals_the_grey_of_rgb(monkeypatch, mode):
    monkeypatch.setattr("tasks.images.rgb._STRIP_PIXELS", 70)
    pixels = np.random.default_rng(1).integers(0, 255, (23, 31, 4), dtype=np.uint8)
    image = Image.fromarray(pixels[:, :, :3]).convert("RGB" if mode in ("RGBA", "LA", "I", "F", "I;16") else mode)
    if mode in ("RGBA", "LA"):
        image = image.convert(mode)
        image.putalpha(Image.fromarray(np.ascontiguousarray(pixels[:, :, 3])))
    if mode in ("I", "F", "I;16"):
        deep = pixels[:, :, 0].astype(np.int32) * (1 if mode == "F" else 257)
        image = Image.fromarray(deep.astype({"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode]))
    if mode == "P":
        image.info["transparency"] = 7
    assert as_grey(image).tobytes() == as_rgb(image).convert("L").tobytes()
