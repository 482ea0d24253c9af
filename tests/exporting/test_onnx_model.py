"""The exported ONNX file: it gives what the SavedModel of the same network gives, and is the same file each time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from tasks.exporting.onnx_model import export_onnx
from tasks.model.onnx_file import INPUT, OPSET, OUTPUTS
from tests.detector.small_network import RESNET, V1, V2, V2_SSD, small_config
from tests.exporting.toy_export import export_both, varied_config, varied_network

CLASSES = ("cat", "dög", "bird")
TOLERANCE = 1e-3
# Scores that are as near to the last one may be left out in one of two models: seen are differences of 1e-6.
CUT = 1e-5


class Both:
    """A SavedModel and an ONNX file of one network, run on the same images."""

    def __init__(self, folder, config, classes=CLASSES):
        saved_model, self.file = export_both(folder, config, classes)
        self._loaded = tf.saved_model.load(str(saved_model))
        self._session = onnxruntime.InferenceSession(self.file, providers=["CPUExecutionProvider"])

    def run(self, *shape):
        images = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
        serve = self._loaded.signatures["serving_default"]
        expected = {name: value.numpy() for name, value in serve(input_tensor=tf.constant(images)).items()}
        found = dict(zip(OUTPUTS, self._session.run(list(OUTPUTS), {INPUT: images}), strict=True))
        assert {name: value.shape for name, value in found.items()} == {n: v.shape for n, v in expected.items()}
        assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}
        return found, expected


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return Both(tmp_path_factory.mktemp("export"), varied_config())


def assert_close(found, expected):
    for name in OUTPUTS:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize(
    "shape",
    [(1, 64, 64), (3, 64, 64), (1, 65, 201), (3, 31, 17), (2, 480, 640), (1, 1, 1)],
    ids=["its size", "a batch", "odd", "a batch of small ones", "large", "a pixel"],
)
def test_detections_are_those_of_the_saved_model(both, shape):
    found, expected = both.run(*shape)
    assert_close(found, expected)
    assert expected["num_detections"].tolist() == [100] * shape[0]


def test_the_compared_detections_are_many_and_of_all_classes(both):
    """Else the comparison would say little."""
    _, expected = both.run(1, 64, 64)
    assert len(np.unique(expected["detection_scores"])) > 50
    assert len(np.unique(expected["detection_boxes"].reshape(-1, 4), axis=0)) > 50
    assert set(expected["detection_classes"].ravel()) == {1, 2, 3}


def test_images_without_a_detection_give_none(tmp_path):
    found, expected = Both(tmp_path, varied_config(score_threshold=1.0)).run(2, 40, 50)
    assert_close(found, expected)
    assert found["num_detections"].tolist() == [0, 0]


def test_one_class_is_enough(tmp_path):
    found, expected = Both(tmp_path, varied_config(num_classes=1), ("cat",)).run(3, 40, 50)
    assert_close(found, expected)
    assert found["num_detections"].min() > 0


def test_more_detections_may_be_asked_for_than_there_are_anchors(tmp_path):
    found, expected = Both(tmp_path, varied_config(num_classes=1, max_detections=1000), ("cat",)).run(1, 64, 64)
    assert_close(found, expected)
    assert found["detection_boxes"].shape == (1, 1000, 4)


def test_the_file_says_what_it_is(both):
    model = onnx.load(both.file)
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert [each.name for each in model.graph.input] == [INPUT]
    assert [each.name for each in model.graph.output] == list(OUTPUTS)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata.pop("classes")) == list(CLASSES)
    assert metadata == {
        "first_class_id": "1",
        "boxes": "[ymin, xmin, ymax, xmax] in 0..1",
        "input": "RGB, uint8, any height and width; resized to 64 x 64 px inside",
        "opset": "17",
    }


_EXPORT_AGAIN = """
import sys
from pathlib import Path
from tasks.exporting.onnx_model import export_onnx
from tests.detector.small_network import RESNET, V1, V2, V2_SSD, small_config
from tests.exporting.toy_export import varied_config, varied_network
config = varied_config()
export_onnx(varied_network(config), config, Path(sys.argv[1]), classes=("cat", "dög", "bird"))
"""


def test_another_process_writes_the_same_file_and_no_word(both, tmp_path):
    """With another seed for hashes, since a converter's sets may have another order then."""
    file = tmp_path / "again.onnx"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[2])}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    done = subprocess.run(
        [sys.executable, "-c", _EXPORT_AGAIN, str(file)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""
    assert file.read_bytes() == both.file.read_bytes()


def test_a_failed_export_leaves_the_former_file(tmp_path, monkeypatch):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"former")
    config = varied_config()
    monkeypatch.setattr(
        onnx.checker, "check_model", lambda *_, **__: (_ for _ in ()).throw(onnx.checker.ValidationError)
    )
    with pytest.raises(onnx.checker.ValidationError):
        export_onnx(varied_network(config), config, file, classes=CLASSES)
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]
    assert file.read_bytes() == b"former"


def rows(outputs, image):
    """`(N, 6)` class, score and box of each detection in an image."""
    columns = [
        outputs["detection_classes"],
        outputs["detection_scores"],
        *np.moveaxis(outputs["detection_boxes"], 2, 0),
    ]
    return np.stack([column[image] for column in columns], axis=1)


def assert_each_is_in(some, others):
    """But for the last ones: which of equal scores is cut off at the end may differ."""
    for row in some[some[:, 1] > some[-1, 1] + CUT]:
        assert np.abs(others - row).max(axis=1).min() < TOLERANCE, row


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [V1, V2, V2_SSD, RESNET],
)
def test_each_network_gives_the_detections_of_its_saved_model(tmp_path, name):
    """In any order: many of a network's scores are equal when its values are drawn."""
    found, expected = Both(tmp_path, small_config(name, num_classes=3, side_px=192)).run(2, 90, 160)
    assert found["num_detections"].tolist() == expected["num_detections"].tolist()
    for image in range(2):
        ours, theirs = rows(found, image), rows(expected, image)
        np.testing.assert_allclose(ours[:, 1], theirs[:, 1], rtol=0, atol=TOLERANCE)
        assert (theirs[:, 1] > theirs[-1, 1] + CUT).sum() > 20
        assert_each_is_in(ours, theirs)
        assert_each_is_in(theirs, ours)
