"""What export measures of training photos, with an embedder that counts grey values in place of the network."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tasks.artifacts.training_photos import VECTOR_WIDTH
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.exporting.training_photos import measure_photos


def embed(photos: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """The mean grey value in the first of 1280 numbers."""
    means = [photo.mean() / 255 for photo in photos]
    return np.array([[mean, *[0.0] * 1279] for mean in means], np.float32).reshape(-1, 1280)


def data(root: Path, greys: Iterable[int]) -> Dataset:
    images = []
    for grey in greys:
        name = f"{grey}.png"
        Image.new("RGB", (40, 30), (grey, grey, grey)).save(root / name)
        images.append(AnnotatedImage(name, 40, 30, as_boxes([]), (), flags(0), flags(0)))
    return Dataset(root, ("cat",), tuple(images))


def test_train_and_val_photos_are_measured_in_the_order_of_their_vectors(tmp_path: Path) -> None:
    photos = measure_photos([data(tmp_path, [10, 50]), data(tmp_path, [200])], embed)
    assert photos.brightness.tolist() == [10, 50, 200]
    assert photos.sharpness.tolist() == [0, 0, 0]
    assert photos.vectors.shape == (3, VECTOR_WIDTH)
    np.testing.assert_allclose(np.abs(photos.vectors[:, 0]) * np.sqrt(VECTOR_WIDTH) * 255, [10, 50, 200], rtol=1e-5)


def test_of_many_photos_some_are_drawn_the_same_each_time(tmp_path: Path) -> None:
    many = data(tmp_path, range(40))
    first, second = (measure_photos([many], embed, most=10).brightness.tolist() for _ in range(2))
    assert first == second
    assert len(set(first)) == 10
    assert first != list(range(10))


@pytest.mark.parametrize("splits", [0, 1])
def test_no_photos_give_an_empty_table(splits: int, tmp_path: Path) -> None:
    assert len(measure_photos([data(tmp_path, [])] * splits, embed)) == 0
