"""Counting the scans of a JPEG file, which cost its decoder far more than they cost bytes."""

import io

import pytest
from PIL import Image

from tasks.errors import FormatError
from tasks.images.image_file import inspect_image, open_image
from tasks.images.jpeg_scans import count_scans

_END = b"\xff\xd9"


def saved(mode="RGB", **options):
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert(mode).save(buffer, format="JPEG", **options)
    return buffer.getvalue()


def with_last_scan_repeated(content, count):
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + _END


def in_one_scan_a_component():
    """A baseline file that says of its one scan that it holds the first of three components."""
    content = saved(subsampling=0)
    scan = content.index(b"\xff\xda")
    return content[:scan] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + content[scan + 14 :]


@pytest.mark.parametrize(("mode", "scans"), [("RGB", 10), ("L", 6), ("CMYK", 18)])
def test_a_progressive_image_has_the_scans_that_libjpeg_writes(mode, scans):
    content = saved(mode, progressive=True)
    assert count_scans(content, 100) == content.count(b"\xff\xda") == scans


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 1}, {"exif": b"Exif\0\0" + b"\xff\xda" * 200}])
def test_an_image_in_one_scan_has_one(options):
    assert count_scans(saved(**options), 100) == 1


def test_a_preview_and_a_second_picture_have_scans_of_their_own():
    content = saved(progressive=True, exif=b"Exif\0\0" + saved(progressive=True))
    assert count_scans(content + saved(progressive=True), 100) == 10


def test_scans_are_counted_just_beyond_the_limit():
    content = with_last_scan_repeated(saved(progressive=True), 500)
    assert count_scans(content, 100) == 101
    assert count_scans(content, 1000) == 509


def test_scans_of_single_components_are_counted_in_a_baseline_image_too():
    assert count_scans(with_last_scan_repeated(in_one_scan_a_component(), 7), 100) == 7


@pytest.mark.parametrize("length", [0, 2, 20, 300, 700, 1500])
def test_a_file_cut_short_has_the_scans_that_are_there(length):
    content = saved(progressive=True)[:length]
    assert count_scans(content, 100) == content.count(b"\xff\xda")


def test_an_image_of_many_scans_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(with_last_scan_repeated(saved(progressive=True), 92))
    with pytest.raises(FormatError, match=r"a\.jpg: a JPEG of more than 100 scans.*save it anew"):
        inspect_image(path, max_megapixels=1)
    with (
        pytest.raises(FormatError, match="more than 100 scans"),
        open_image(path, max_megapixels=1, content=path.read_bytes()),
    ):
        pass


def test_an_image_of_a_hundred_scans_is_read(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(with_last_scan_repeated(saved(progressive=True), 91))
    assert inspect_image(path, max_megapixels=1).width == 64


def test_a_jpeg_in_memory_needs_no_file(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (8, 6)).save(path)
    content = path.read_bytes()
    path.unlink()
    with open_image(path, max_megapixels=1, content=content) as image:
        assert image.size == (8, 6)
