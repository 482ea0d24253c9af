"""Vectors of drawn photos: of unit length, the same alone and among others, alike where the photos are."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tasks.detector.embedding import WIDTH, PhotoEmbedder
from tasks.errors import CheckpointError
from tasks.weights import shipped

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def embedder() -> PhotoEmbedder:
    return PhotoEmbedder()


def squares(seed: int, side: int) -> npt.NDArray[np.uint8]:
    """Grey squares on black, at places that depend on the seed."""
    rng = np.random.default_rng(seed)
    photo = np.zeros((480, 640, 3), np.uint8)
    for y, x in zip(rng.integers(0, 480 - side, 6), rng.integers(0, 640 - side, 6), strict=True):
        photo[y : y + side, x : x + side] = rng.integers(90, 255)
    return photo


def test_a_vector_does_not_depend_on_the_photos_beside_it(embedder: PhotoEmbedder) -> None:
    photos = [squares(seed, 120)[: 480 - seed] for seed in range(18)]
    together = embedder(iter(photos))
    assert together.shape == (18, WIDTH)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(embedder(photos[17:]), together[17:], atol=1e-5)


def test_photos_of_one_kind_are_nearer_to_each_other_than_to_another_kind(embedder: PhotoEmbedder) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 300, 400, 3)).astype(np.uint8)
    vectors = embedder([*(squares(seed, 120) for seed in range(4)), *noise])
    alike = vectors @ vectors.T
    assert min(alike[:4, :4].min(), alike[4:, 4:].min()) > alike[:4, 4:].max() + 0.2


def test_no_photos_give_no_vectors(embedder: PhotoEmbedder) -> None:
    assert embedder([]).shape == (0, WIDTH)


def test_a_missing_file_of_weights_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(CheckpointError, match=r"mobilenet_v2_imagenet\.npz is missing"):
        PhotoEmbedder()
