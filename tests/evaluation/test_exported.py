"""Exported models: what is refused before TensorFlow or the interpreter reads it."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import CheckpointError, DataError
from tasks.evaluation.evaluate_models import evaluate_models
from tasks.evaluation.exported import SideBySide
from tasks.evaluation.outputs import Image
from tasks.evaluation.saved_model import load_saved_model
from tasks.evaluation.tflite_model import load_tflite
from tasks.model.checksums import CHECKSUMS, write_checksums
from tests.metrics.cases import detect

LOADERS: dict[str, Callable[[Path], object]] = {
    "saved_model/saved_model.pb": load_saved_model,
    "model.tflite": lambda folder: load_tflite(folder / "model.tflite"),
}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "saved_model").mkdir()
    for name in (*LOADERS, "thresholds.json", "training_photos.npy"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }\n")
    write_checksums(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    "damaged",
    ["", "label_map.pbtxt", "thresholds.json", "training_photos.npy"],
    ids=["itself", "label map", "thresholds", "training photos"],
)
def test_a_model_that_was_damaged_is_not_loaded(export: Path, name: str, damaged: str) -> None:
    file = export / (damaged or name)
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    with pytest.raises(CheckpointError, match=f"{file}: damaged or changed"):
        LOADERS[name](export)


def test_a_model_without_a_list_is_not_evaluated(export: Path, tmp_path: Path) -> None:
    (export / CHECKSUMS).unlink()
    with pytest.raises(DataError, match=f"{CHECKSUMS}: no such file; run `dvc repro`, which runs .* .export."):
        evaluate_models(export, Dataset(tmp_path, (), ()), 8, 0.02)


def test_a_model_that_was_copied_without_its_thresholds_is_no_damaged_one(export: Path) -> None:
    (export / "thresholds.json").unlink()
    with pytest.raises(CheckpointError, match="not a TFLite model"):
        load_tflite(export / "model.tflite")


class _OneImage:
    """A detector whose score is the brightness of its image; it fails at black."""

    classes = ("cat",)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        (image,) = images
        if not image.any():
            raise RuntimeError("black")
        return [detect(([0, 0, 1, 1], "cat", float(image.max()) / 255))]


def _grey(value: int) -> Image:
    return np.full((2, 2, 3), value, dtype=np.uint8)


def test_the_threads_of_a_batch_end_with_it_and_the_images_keep_their_order() -> None:
    before = set(threading.enumerate())
    together = SideBySide(_OneImage(), [_OneImage(), _OneImage()])
    for _ in range(3):
        found = together.detect([_grey(value) for value in range(1, 20)])
        assert [each.scores[0] for each in found] == [value / 255 for value in range(1, 20)]
        assert set(threading.enumerate()) == before


def test_a_failing_image_ends_its_batch_and_the_next_batch_goes_on() -> None:
    before = set(threading.enumerate())
    together = SideBySide(_OneImage(), [_OneImage(), _OneImage()])
    with pytest.raises(RuntimeError, match="black"):
        together.detect([_grey(0), *(_grey(value) for value in range(1, 9))])
    assert set(threading.enumerate()) == before
    assert len(together.detect([_grey(1), _grey(2)])) == 2


@pytest.mark.parametrize("size", [(1, 1), (37, 211), (320, 320), (480, 640), (900, 200)])
def test_an_image_in_bytes_is_resized_to_the_same_values_as_in_floats(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    from_floats = tf.image.resize(image.astype(np.float32), [320, 320]).numpy()
    np.testing.assert_array_equal(tf.image.resize(image, [320, 320]).numpy().astype(np.float32), from_floats)
