"""TFLite files that are no detectors of this project: each is one sentence, and nothing is run."""

from pathlib import Path

import pytest
import tensorflow as tf

from tasks.errors import CheckpointError
from tasks.evaluation.exported import load_exported, load_variant
from tasks.model.label_map import LABEL_MAP, write_label_map

IMAGE = tf.TensorSpec([1, 8, 8, 3], tf.float32)


def convert(folder: Path, function, *specs) -> Path:
    """A foreign TFLite file in a folder with a label map."""
    traced = tf.function(function, input_signature=specs).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], tf.Module())
    write_label_map(("cat",), folder / LABEL_MAP)
    (folder / "foreign.tflite").write_bytes(converter.convert())
    return folder / "foreign.tflite"


@pytest.mark.parametrize(
    ("function", "specs", "why"),
    [
        (lambda image: tf.reduce_sum(image, [1, 2]), [IMAGE], "its outputs are not count, scores, classes and boxes"),
        (lambda x: x + 1.0, [tf.TensorSpec([1, 7], tf.float32)], "its input is not one RGB image"),
        (lambda x, y: x + y, [IMAGE, IMAGE], "its input is not one RGB image"),
    ],
    ids=["a classifier", "no image", "two inputs"],
)
def test_a_foreign_model_is_refused_with_what_it_lacks(tmp_path: Path, function, specs, why: str) -> None:
    with pytest.raises(CheckpointError, match=f"foreign.tflite: cannot be read: {why}"):
        load_exported(convert(tmp_path, function, *specs))


def test_a_file_without_a_label_map_beside_it_is_refused(tmp_path: Path) -> None:
    file = convert(tmp_path, lambda x: x + 1.0, IMAGE)
    (tmp_path / LABEL_MAP).unlink()
    with pytest.raises(
        CheckpointError, match=r"label_map.pbtxt: no such file; run `make run`, or name an export folder"
    ):
        load_variant(file)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"x")
    with pytest.raises(CheckpointError, match="not a model that is run here"):
        load_exported(tmp_path / "model.pt")
