"""Exported models: what is refused before TensorFlow or the interpreter reads it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.dataset.dataset import Dataset
from tasks.errors import CheckpointError, DataError
from tasks.evaluation.evaluate_models import evaluate_models
from tasks.evaluation.saved_model import load_saved_model
from tasks.evaluation.tflite_model import load_tflite
from tasks.model.checksums import CHECKSUMS, write_checksums

LOADERS: dict[str, Callable[[Path], object]] = {
    "saved_model/saved_model.pb": load_saved_model,
    "model.tflite": lambda folder: load_tflite(folder / "model.tflite"),
}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "saved_model").mkdir()
    for name in (*LOADERS, "thresholds.json"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }\n")
    write_checksums(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    "damaged", ["", "label_map.pbtxt", "thresholds.json"], ids=["itself", "label map", "thresholds"]
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


@pytest.mark.parametrize("size", [(1, 1), (37, 211), (320, 320), (480, 640), (900, 200)])
def test_an_image_in_bytes_is_resized_to_the_same_values_as_in_floats(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    from_floats = tf.image.resize(image.astype(np.float32), [320, 320]).numpy()
    np.testing.assert_array_equal(tf.image.resize(image, [320, 320]).numpy().astype(np.float32), from_floats)
