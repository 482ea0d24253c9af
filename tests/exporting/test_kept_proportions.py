"""Exports of a detector that keeps the proportions of photos: each form finds the same, in the photo's own pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tasks.dataset.detections import Detections
from tasks.detector.canvas import on_canvas
from tasks.detector.pipeline_config import write_pipeline_config
from tasks.errors import CheckpointError
from tasks.evaluation.exported import load_exported, load_variant
from tasks.evaluation.tflite_model import load_tflite
from tasks.exporting.onnx_model import export_onnx
from tasks.exporting.saved_model import export_saved_model
from tasks.exporting.variants import export_float32
from tasks.model.label_map import LABEL_MAP, write_label_map
from tests.exporting.photos import CLASSES
from tests.exporting.toy_export import varied_config, varied_network


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export folder of a toy detector of 64 px with the SavedModel, the ONNX file and the float32 TFLite file."""
    folder = tmp_path_factory.mktemp("export")
    config = varied_config(keeps_proportions=True, max_detections=40)
    network = varied_network(config)
    export_saved_model(network, folder / "saved_model")
    export_onnx(network, config, folder / "model.onnx", classes=CLASSES)
    export_float32(network, config, folder / "model.tflite", max_detections=40)
    write_label_map(CLASSES, folder / LABEL_MAP)
    write_pipeline_config(config, folder / "pipeline.config")
    return folder


@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
@pytest.mark.parametrize(("height", "width"), [(40, 100), (90, 30), (50, 50)])
def test_a_file_finds_what_the_saved_model_finds(exported: Path, name: str, height: int, width: int) -> None:
    image = picture(height, width)
    (expected,), (found,) = (
        detector.detect([image]) for detector in (load_exported(exported), load_variant(exported / name))
    )

    assert len(found.scores) > 10
    # TFLite's NMS compares boxes of all classes together, and so finds some others further down.
    for place in range(10):
        assert is_among(found, place, expected), (found.classes[place], found.boxes[place], found.scores[place])


def is_among(some: Detections, place: int, others: Detections) -> bool:
    """Whether a detection is among others, to a tenth of a pixel."""
    same_box = np.abs(others.boxes - some.boxes[place]).max(axis=1) < 0.1
    same = same_box & (np.abs(others.scores - some.scores[place]) < 1e-3)
    return some.classes[place] in np.array(others.classes)[same]


def test_boxes_are_fractions_of_the_photo_and_not_of_the_canvas(exported: Path) -> None:
    photo = picture(32, 64)
    square = np.zeros((64, 64, 3), np.uint8)
    square[:32] = photo

    (alone,), (padded,) = (load_exported(exported).detect([image]) for image in (photo, square))

    clipped = replace(padded, boxes=np.minimum(padded.boxes, [64, 32, 64, 32]))
    assert len(alone.scores) > 10
    assert (alone.boxes[:, 3] > 20).any()
    for place in range(10):
        assert is_among(alone, place, clipped), (alone.boxes[place], alone.scores[place])


def test_the_canvas_of_a_photo_of_bytes_is_that_of_its_floats() -> None:
    photo, resizer = picture(33, 77), varied_network(varied_config(keeps_proportions=True)).resizer
    for image in (photo, photo.astype(np.float32)):
        canvas, shape = on_canvas(tf.constant(image), resizer)
        np.testing.assert_array_equal(shape, [27, 64, 3])
        np.testing.assert_allclose(canvas[:27], tf.image.resize(photo, (27, 64)))


def test_a_file_of_another_input_than_its_config_is_refused(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes((exported / "model.tflite").read_bytes())
    write_label_map(CLASSES, tmp_path / LABEL_MAP)
    config = varied_config(keeps_proportions=True)
    keep = config.model.ssd.image_resizer.keep_aspect_ratio_resizer
    keep.min_dimension = keep.max_dimension = 96
    write_pipeline_config(config, tmp_path / "pipeline.config")

    with pytest.raises(
        CheckpointError, match=r"its input is 64 x 64 px, but pipeline\.config beside it says 96 x 96 px"
    ):
        load_tflite(tmp_path / "model.tflite")
