"""training_photos.npy: written and read, refused where it is anything else."""

import io
from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts.training_photos import (
    TRAINING_PHOTOS,
    VECTOR_WIDTH,
    PhotoFacts,
    photo_facts,
    read_training_photos,
    write_training_photos,
)
from tasks.errors import FormatError

COLUMNS = 2 + VECTOR_WIDTH


def facts(count: int) -> PhotoFacts:
    random = np.random.default_rng(0)
    embeddings = random.random((count, 1280)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return photo_facts(embeddings, [(100.0 + i, 0.25 * i) for i in range(count)])


@pytest.mark.parametrize("count", [0, 1, 30])
def test_photos_are_read_as_they_were_written(count: int, tmp_path: Path) -> None:
    photos = facts(count)
    write_training_photos(photos, tmp_path)
    again = read_training_photos(tmp_path)
    assert again is not None
    assert len(again) == count
    for name in ("vectors", "brightness", "sharpness"):
        np.testing.assert_array_equal(getattr(again, name), getattr(photos, name))


def test_equal_photos_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_training_photos(facts(9), tmp_path / name)
    assert (tmp_path / "a" / TRAINING_PHOTOS).read_bytes() == (tmp_path / "b" / TRAINING_PHOTOS).read_bytes()


def test_an_export_without_the_file_has_none(tmp_path: Path) -> None:
    assert read_training_photos(tmp_path) is None


def test_vectors_keep_the_distances_of_embeddings() -> None:
    random = np.random.default_rng(1)
    embeddings = random.normal(size=(40, 1280)).astype(np.float32) / np.float32(36)
    vectors = photo_facts(embeddings, [(0.0, 0.0)] * 40).vectors
    before, after = (
        np.linalg.norm(each[:, None] - each[None], axis=2)[np.triu_indices(40, 1)] for each in (embeddings, vectors)
    )
    assert np.abs(after / before - 1).mean() < 0.08


def test_vectors_are_the_same_in_every_version() -> None:
    # A stored file is compared with vectors that a later version makes.
    ramp = np.linspace(-1, 1, 1280, dtype=np.float32)[None]
    assert photo_facts(ramp, [(0.0, 0.0)]).vectors[0, :3] == pytest.approx(RAMP, abs=1e-4)


RAMP = [2.93817, 0.99487, 0.80206]


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def header(shape: object, descr: str = "<f4") -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return content.getvalue()


def table(place: tuple[int, int], value: float) -> bytes:
    rows = np.zeros((3, COLUMNS), np.float32)
    rows[place] = value
    return npy(rows)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no table",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((((",
        b"\x93NUMPY\x01\x00\x04\x00'''\n",
        b"\x93NUMPY\x03\x00\x10\x00\x00\x00" + b" " * 16,
        npy(np.array([{}], dtype=object)),
        npy(np.zeros((3, COLUMNS))),
        npy(np.zeros((3, COLUMNS - 1), np.float32)),
        npy(np.asfortranarray(np.zeros((3, COLUMNS), np.float32))),
        npy(np.zeros((3, COLUMNS), np.float32))[:-1],
        npy(np.zeros((3, COLUMNS), np.float32)) + b"\0",
        header((10**12, COLUMNS)),
        header((-1, COLUMNS)),
        header((10**9 + 1, COLUMNS)) + bytes(1000),
        table((1, 0), float("nan")),
        table((1, 0), 256.0),
        table((2, 1), -0.5),
        table((0, 7), float("inf")),
        table((0, 7), 1e9),
    ],
)
def test_what_the_stage_does_not_write_is_refused_with_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / TRAINING_PHOTOS).write_bytes(content)
    with pytest.raises(FormatError, match=r"training_photos\.npy: not what the export stage writes: .*dvc repro"):
        read_training_photos(tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / TRAINING_PHOTOS).open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(FormatError, match="a table of training photos has at most"):
        read_training_photos(tmp_path)


def test_arrays_of_different_lengths_are_a_bug() -> None:
    with pytest.raises(ValueError, match="expected brightness of shape"):
        PhotoFacts(np.zeros((2, VECTOR_WIDTH), np.float32), np.zeros(3, np.float32), np.zeros(2, np.float32))
