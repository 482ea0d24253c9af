"""Suffixes and contents of images: read, or called by name with the remedy."""

from pathlib import Path

import pytest
from PIL import Image

from tasks.errors import DataError, FormatError
from tasks.images.image_file import inspect_image
from tasks.images.image_finder import ImageFinder
from tasks.images.unread_formats import named_files, unread_kind
from tasks.prediction.inputs import find_inputs, passed_over

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".jfif", "JPEG"), (".JPE", "JPEG"), (".jpe", "JPEG"), (".avif", "AVIF"), (".JFIF", "JPEG")]
)
def test_images_of_these_suffixes_are_read_found_and_predicted_on(tmp_path, suffix, kind):
    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (64, 48), "red").save(path, format=kind)
    facts = inspect_image(path, max_megapixels=1)
    assert (facts.width, facts.height, facts.format) == (64, 48, kind)
    found = ImageFinder([tmp_path]).find(tmp_path / "a.xml", f"a{suffix}")
    assert (found.path, found.problem) == (path, None)
    assert find_inputs([tmp_path], Path("out")) == [path]


@pytest.mark.parametrize("name", ["a.heic", "A.HEIC", "a.heif", "a.jxl", "a.cr2", "a.dng", "a.svg"])
def test_an_image_in_another_format_is_called_by_it_with_the_remedy(tmp_path, name):
    (tmp_path / name).write_bytes(HEIC)
    found = ImageFinder([tmp_path]).find(tmp_path / "a.xml", name)
    assert found.path is None
    assert found.problem is not None
    assert "which is not read: " in found.problem.detail
    assert found.problem.kind == "missing_image"


def test_heic_that_is_called_jpg_is_called_heic(tmp_path):
    (tmp_path / "a.jpg").write_bytes(HEIC)
    with pytest.raises(FormatError, match=r"a\.jpg: the file holds HEIC, which is not read: convert it to JPEG"):
        inspect_image(tmp_path / "a.jpg", max_megapixels=1)


def test_what_a_prediction_passes_over_is_listed(tmp_path):
    for name in ("b.heic", "c.heic", "notes.txt", "d.heic", ".hidden"):
        (tmp_path / name).write_bytes(HEIC)
    assert [path.name for path in passed_over([tmp_path])] == ["b.heic", "c.heic", "d.heic", "notes.txt"]
    with pytest.raises(
        DataError, match=r"(?s)no images found.*there are .*b\.heic \(HEIC\).* and 1 more; convert it to JPEG"
    ):
        find_inputs([tmp_path], Path("out"))
    assert unread_kind(Path("a.jpg")) == unread_kind(Path("notes.txt")) == ""
    assert named_files([Path("a.txt")]) == "a.txt"
