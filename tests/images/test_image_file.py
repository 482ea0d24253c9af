"""Image files: what they are, and those that are refused before or while decoding."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tasks.errors import FormatError
from tasks.images.image_file import inspect_image, open_image, read_rgb


def saved(path, mode="RGB", size=(6, 4), **options):
    Image.new(mode, size, 0).save(path, **options)
    return path


def png_header(width, height):
    """A PNG that promises width x height pixels and has none of them."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


@pytest.mark.parametrize(
    ("name", "mode", "kind"),
    [
        ("a.jpg", "RGB", "JPEG"),
        ("a.jpeg", "CMYK", "JPEG"),
        ("a.png", "RGBA", "PNG"),
        ("a.bmp", "RGB", "BMP"),
        ("a.gif", "P", "GIF"),
        ("a.webp", "RGB", "WEBP"),
        ("a.tif", "L", "TIFF"),
    ],
)
def test_the_format_of_an_image_is_that_of_its_content(tmp_path, name, mode, kind):
    facts = inspect_image(saved(tmp_path / name, mode), max_megapixels=1)
    assert (facts.width, facts.height, facts.format, facts.mode, facts.exif_orientation) == (6, 4, kind, mode, 1)


def test_a_wrong_name_does_not_change_the_format(tmp_path):
    assert inspect_image(saved(tmp_path / "a.png", format="JPEG"), max_megapixels=1).format == "JPEG"


def test_the_size_is_that_of_the_stored_pixels_whatever_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = inspect_image(saved(tmp_path / "a.jpg", exif=exif), max_megapixels=1)
    assert (facts.width, facts.height, facts.exif_orientation) == (6, 4, 6)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"not an image", "known format"), (b"\x89PNG\r\n\x1a\n", "damaged|known format")],
    ids=["empty", "text", "cut header"],
)
def test_a_file_that_is_not_an_image_is_refused_with_the_reason(tmp_path, content, message):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message) as error:
        inspect_image(path, max_megapixels=1)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.bmp"])
def test_an_image_cut_short_is_refused(tmp_path, name):
    path = tmp_path / name
    Image.effect_noise((64, 64), 50).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(FormatError, match="damaged"):
        inspect_image(path, max_megapixels=1)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        inspect_image(tmp_path / "a.jpg", max_megapixels=1)


def test_an_image_over_the_limit_is_refused_by_its_header(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png_header(1001, 1000))
    with pytest.raises(FormatError, match=r"1001 x 1000 pixels; validate\.max_image_megapixels allows 1"):
        inspect_image(path, max_megapixels=1)


def test_a_decompression_bomb_is_refused_whatever_the_limit(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png_header(60_000, 60_000))
    with pytest.raises(FormatError, match="over 178 megapixels"):
        inspect_image(path, max_megapixels=1e9)


def test_an_image_of_exactly_the_limit_is_opened(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png_header(1000, 1000))
    with open_image(path, max_megapixels=1) as image:
        assert image.size == (1000, 1000)


@pytest.mark.parametrize("size", [(65_501, 1), (1, 65_501)])
def test_a_side_longer_than_a_jpeg_can_have_is_refused_by_the_header(tmp_path, size):
    path = tmp_path / "a.png"
    path.write_bytes(png_header(*size))
    with pytest.raises(FormatError, match=rf"{size[0]} x {size[1]} pixels; a side has at most 65500"):
        inspect_image(path, max_megapixels=100)


def test_the_longest_side_is_read(tmp_path):
    assert inspect_image(saved(tmp_path / "a.jpg", size=(65_500, 1)), max_megapixels=1).width == 65_500


@pytest.mark.parametrize(("pages", "frames"), [(3, 3), (999, 999), (1000, 1000), (1001, 1000)])
def test_pages_are_counted_up_to_a_thousand(tmp_path, pages, frames):
    path = tmp_path / "a.tif"
    page = Image.new("L", (2, 2))
    page.save(path, save_all=True, append_images=[page] * (pages - 1))
    assert inspect_image(path, max_megapixels=1).frames == frames


def test_other_formats_that_pillow_knows_are_refused(tmp_path):
    with pytest.raises(FormatError, match="known format"):
        inspect_image(saved(tmp_path / "a.jpg", format="PPM"), max_megapixels=1)


def test_pixels_are_rgb_bytes(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (3, 2), 7).save(path)
    assert read_rgb(path).shape == (2, 3, 3)
    assert read_rgb(path).dtype == np.uint8
    assert (read_rgb(path) == 7).all()
