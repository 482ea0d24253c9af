import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tasks.tfrecords.stored_image import stored_image, stored_size


def save(folder, name, mode="RGB", size=(40, 30), **options):
    path = folder / name
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(path, **options)
    return path


def rgb16_png(width, height, value):
    """Pillow writes none, but reads them as if they had 8 bits."""
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + struct.pack(">H", value) * 3 * width) * height)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("a.jpg", {}, "jpeg"),
        ("a.jpeg", {"progressive": True}, "jpeg"),
        ("a.png", {}, "png"),
        ("a.jpg", {"format": "PNG"}, "png"),
    ],
    ids=["JPEG", "progressive JPEG", "PNG", "PNG called jpg"],
)
def test_a_file_that_tensorflow_reads_as_rgb_is_stored_byte_for_byte(tmp_path, name, options, kind):
    path = save(tmp_path, name, **options)
    assert stored_image(path, path.read_bytes(), max_side_px=None) == (path.read_bytes(), kind, (40, 30), (40, 30))


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.jpg", "L", {}),
        ("a.jpg", "CMYK", {}),
        ("a.jpg", "RGBA", {"format": "PNG"}),
        ("a.png", "P", {}),
        ("a.png", "L", {}),
        ("a.png", "1", {}),
        ("a.png", "I;16", {}),
        ("a.png", "RGB", {"transparency": (1, 2, 3)}),
        ("a.bmp", "RGB", {}),
        ("a.gif", "P", {}),
        ("a.webp", "RGB", {"lossless": True}),
        ("a.tif", "RGB", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_any_other_file_is_stored_as_an_rgb_jpeg_of_the_same_picture(tmp_path, name, mode, options):
    path = save(tmp_path, name, "L" if mode == "I;16" else mode, **options)
    if mode == "I;16":
        Image.fromarray(np.full((30, 40), 0x8000, dtype=np.uint16)).save(path)
    content, kind, size, _ = stored_image(path, path.read_bytes(), max_side_px=None)
    assert (kind, size) == ("jpeg", (40, 30))
    with Image.open(io.BytesIO(content)) as stored, Image.open(path) as source:
        assert (stored.format, stored.mode) == ("JPEG", "RGB")
        expected = np.full((30, 40, 3), 128) if mode == "I;16" else np.asarray(source.convert("RGB")).astype(int)
        assert np.abs(np.asarray(stored).astype(int) - expected).mean() < 6


def test_a_png_of_16_bits_a_channel_is_reduced_to_8(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(rgb16_png(2, 2, 0x8040))
    content, kind, size, _ = stored_image(path, path.read_bytes(), max_side_px=None)
    assert (kind, size) == ("jpeg", (2, 2))
    with Image.open(io.BytesIO(content)) as stored:
        assert np.abs(np.asarray(stored).astype(int) - 128).max() <= 3


@pytest.mark.parametrize(
    ("size", "limit", "expected"),
    [
        ((400, 300), None, (400, 300)),
        ((400, 300), 400, (400, 300)),
        ((400, 300), 200, (200, 150)),
        ((300, 401), 200, (150, 200)),
        ((1000, 1), 100, (100, 1)),
    ],
    ids=["no limit", "at the limit", "wide", "high", "a line stays a line"],
)
def test_the_longer_side_is_limited(size, limit, expected):
    assert stored_size(size, limit) == expected


@pytest.mark.parametrize(
    ("name", "mode"), [("a.jpg", "RGB"), ("a.jpg", "L"), ("a.jpg", "CMYK"), ("a.png", "RGBA"), ("a.png", "P")]
)
@pytest.mark.parametrize("limit", [300, 90], ids=["scaled", "decoded small, then scaled"])
def test_a_large_image_is_scaled_without_shifting_its_content(tmp_path, name, mode, limit):
    # A white box on black: its left edge and its area must stay what they were.
    picture = Image.new("RGB", (805, 603))
    picture.paste((255, 255, 255), (200, 150, 403, 300))
    picture.convert(mode).save(tmp_path / name)
    content, kind, size, source_size = stored_image(tmp_path / name, (tmp_path / name).read_bytes(), max_side_px=limit)
    assert (kind, size, source_size) == ("jpeg", (limit, round(603 * limit / 805)), (805, 603))
    with Image.open(io.BytesIO(content)) as stored:
        assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", size)
        grey = np.asarray(stored.convert("L"), dtype=np.float64) / 255
    to_its_middle = grey[225 * limit // 805, : 300 * limit // 805]
    assert (1 - to_its_middle).sum() == pytest.approx(200 * limit / 805, abs=0.3)
    assert grey.sum() == pytest.approx(203 * 150 * (limit / 805) ** 2, rel=0.03)
