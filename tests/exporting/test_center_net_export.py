"""A CenterNet's SavedModel, TFLite and ONNX files find the same objects, in photos of any shape."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import tensorflow as tf

from tasks.dataset.boxes import iou
from tasks.detector.architectures.components import CLASS_HEAD
from tasks.detector.network import Network, build_network
from tasks.evaluation.tflite_model import TFLiteDetector
from tasks.exporting.onnx_model import export_onnx
from tasks.exporting.saved_model import export_saved_model, save_function
from tasks.exporting.tflite import FORMS, Converter, Form
from tasks.exporting.tflite_graph import tflite_graph
from tasks.exporting.tflite_metadata import Metadata, with_metadata
from tasks.model.onnx_file import INPUT, OUTPUTS
from tests.detector.toy_center_net import toy_center_net_config
from tests.exporting.toy_export import varied_values

CLASSES = ("cat", "dog", "bird")
# ONNX Runtime and TensorFlow round differently.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("center_net")
    config = toy_center_net_config(num_classes=len(CLASSES))
    config.model.center_net.object_center_params.max_box_predictions = 20
    network: Network = build_network(config, is_training=False)
    varied_values(network)
    # Far from scores of 1, of which many would be equal.
    for key in network.keys_of(CLASS_HEAD):
        network.variables[key].assign(network.variables[key] * 0.15 - 0.2)
    export_saved_model(network, path / "saved_model")
    export_onnx(network, config, path / "model.onnx", classes=CLASSES)
    export_onnx(network, config, path / "again.onnx", classes=CLASSES)
    graph = tflite_graph(network, config, max_detections=20)
    save_function(network, graph, path / "graph")
    (path / "model.tflite").write_bytes(Converter(path / "graph").convert("float32"))
    return path


def photos(*shape: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)


def served(folder: Path, images: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
    serve = tf.saved_model.load(str(folder / "saved_model")).signatures["serving_default"]
    return {name: value.numpy() for name, value in serve(input_tensor=tf.constant(images)).items()}


def test_the_saved_model_gives_the_od_apis_outputs(folder: Path) -> None:
    found = served(folder, photos(2, 48, 64))
    assert {name: value.shape for name, value in found.items()} == {
        "detection_boxes": (2, 20, 4),
        "detection_scores": (2, 20),
        "detection_classes": (2, 20),
        "num_detections": (2,),
    }
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}
    assert set(found["detection_classes"].ravel()) == {1, 2, 3}
    assert len(np.unique(found["detection_scores"])) > 20


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 64, 64), (1, 65, 201), (2, 480, 320), (1, 1, 1)], ids=str)
def test_the_onnx_file_gives_what_the_saved_model_gives(folder: Path, shape: tuple[int, ...]) -> None:
    images = photos(*shape)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    found = dict(zip(OUTPUTS, session.run(list(OUTPUTS), {INPUT: images}), strict=True))
    expected = served(folder, images)
    for name in OUTPUTS:
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=TOLERANCE, err_msg=name)


def test_the_onnx_file_has_nothing_that_its_operator_set_dropped(folder: Path) -> None:
    assert b"tf_half_pixel_for_nn" not in (folder / "model.onnx").read_bytes()


def test_two_exports_are_equal_to_the_byte(folder: Path) -> None:
    assert (folder / "model.onnx").read_bytes() == (folder / "again.onnx").read_bytes()


@pytest.mark.parametrize("with_labels", [False, True])
def test_the_tflite_file_finds_what_the_saved_model_finds(folder: Path, *, with_labels: bool) -> None:
    model = (folder / "model.tflite").read_bytes()
    if with_labels:
        model = with_metadata(model, Metadata(CLASSES, 0.3, "a toy"))
    detector = TFLiteDetector(model, CLASSES, threads=1)
    images = photos(1, 64, 64)
    (found,) = detector.detect(list(images))
    expected = served(folder, images)
    np.testing.assert_allclose(found.scores, expected["detection_scores"][0], atol=TOLERANCE)
    np.testing.assert_allclose(found.boxes, expected["detection_boxes"][0][:, [1, 0, 3, 2]] * 64, atol=64 * TOLERANCE)
    assert found.classes == tuple(CLASSES[int(i) - 1] for i in expected["detection_classes"][0])


class Inputs(list[npt.NDArray[np.float32]]):
    """Inputs of the model, of which ranges are measured."""

    def first(self, count: int) -> "Inputs":
        return Inputs(self[:count])


@pytest.mark.parametrize("form", FORMS[:2], ids=lambda form: form.name)
def test_peaks_are_found_in_floats_where_all_before_them_is_int8(folder: Path, form: Form) -> None:
    images = photos(40, 64, 64)
    inputs = Inputs(image[np.newaxis].astype(np.float32) / 127.5 - 1 for image in images)
    detector = TFLiteDetector(Converter(folder / "graph").quantize(form, inputs), CLASSES, threads=1)
    assert detector.takes_pixels
    (found,) = detector.detect(list(images[:1]))
    (expected,) = TFLiteDetector((folder / "model.tflite").read_bytes(), CLASSES, threads=1).detect(list(images[:1]))
    assert len(found.scores) == 20
    np.testing.assert_allclose(found.scores, expected.scores, atol=0.02)
    assert (iou(found.boxes, expected.boxes).max(axis=1) > 0.6).mean() > 0.7
    # With 8 bits, logits of different peaks are equal.
    assert (len(set(found.scores.tolist())) > 15) == form.float_head
