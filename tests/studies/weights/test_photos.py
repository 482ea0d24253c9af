"""Crops that statistics are measured on, and the picture of what the shipped detector sees."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studies.weights.look import picture
from studies.weights.photos import crops, digest_of, photos_in
from tasks.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs, one of them in a folder of its own, and a file that is none."""
    (tmp_path / "b").mkdir()
    for name, grey, size in (("b/one.jpg", 40, (90, 60)), ("two.PNG", 200, (50, 80))):
        Image.new("RGB", size, (grey, grey, grey)).save(tmp_path / name)
    (tmp_path / "readme.txt").write_text("no photograph")
    return tmp_path


def test_crops_come_from_one_photograph_after_the_other_and_are_always_the_same(folder: Path) -> None:
    photos = photos_in(folder)
    assert [photo.name for photo in photos] == ["one.jpg", "two.PNG"]

    images = crops(photos, 32, 5)

    assert images.shape == (5, 32, 32, 3)
    assert images.dtype == np.uint8
    assert images.mean(axis=(1, 2, 3)) == pytest.approx([40, 200, 40, 200, 40], abs=1)
    np.testing.assert_array_equal(images, crops(photos, 32, 5))


def test_the_digest_depends_on_every_photograph(folder: Path) -> None:
    before = digest_of(photos_in(folder))
    Image.new("RGB", (5, 5)).save(folder / "two.PNG")
    assert digest_of(photos_in(folder)) != before


def test_a_folder_without_photographs_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"{tmp_path}: no photographs in it"):
        photos_in(tmp_path)


def test_the_picture_shows_the_photographs_side_by_side(folder: Path) -> None:
    found = picture(photos_in(folder), folder / "out" / "picture.jpg", 0.9)

    # Nothing is seen in plain grey.
    assert found == {"one.jpg": "", "two.PNG": "", "picture": folder / "out" / "picture.jpg"}
    with Image.open(folder / "out" / "picture.jpg") as drawn:
        assert drawn.size == (720 + 300, 480)
