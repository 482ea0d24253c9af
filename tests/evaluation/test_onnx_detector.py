"""The ONNX file as a detector: it finds what the SavedModel finds, and does not trust the file it is given."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from tasks.errors import CheckpointError
from tasks.evaluation.onnx_detector import load_onnx
from tasks.evaluation.saved_model import SavedModelDetector
from tasks.model.label_map import LABEL_MAP, write_label_map
from tests.evaluation.onnx_models import model, stranger, written
from tests.exporting.toy_export import export_both, varied_config

CLASSES = ("cat", "dög", "bird")
IMAGE = np.zeros((40, 60, 3), np.uint8)


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    export_both(folder, varied_config(), CLASSES)
    write_label_map(CLASSES, folder / LABEL_MAP)
    return folder


def drawn_images():
    """Two of one size in a row, which make a batch, and others."""
    rng = np.random.default_rng(2)
    sizes = [(64, 64), (64, 64), (33, 71), (64, 64), (120, 20)]
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_detections_are_those_of_the_saved_model_in_pixels_of_each_image(export):
    images = drawn_images()
    detector = load_onnx(export / "model.onnx", CLASSES)
    assert detector.classes == CLASSES
    found, expected = detector.detect(images), SavedModelDetector(export).detect(images)
    assert len(found) == len(images)
    for image, ours, theirs in zip(images, found, expected, strict=True):
        assert ours.classes == theirs.classes
        np.testing.assert_allclose(ours.scores, theirs.scores, rtol=0, atol=1e-3)
        np.testing.assert_allclose(ours.boxes, theirs.boxes, rtol=0, atol=1e-3 * max(image.shape))
        assert len(ours.classes) == 100


def test_the_number_of_threads_changes_no_detection(export):
    one, two = (load_onnx(export / "model.onnx", CLASSES, threads=n).detect(drawn_images()) for n in (1, 2))
    for ours, theirs in zip(one, two, strict=True):
        assert ours.classes == theirs.classes
        np.testing.assert_allclose(ours.boxes, theirs.boxes, rtol=0, atol=1e-3)


def test_no_images_give_no_detections(export):
    assert load_onnx(export / "model.onnx", CLASSES).detect([]) == []


_WITHOUT_TENSORFLOW = """
import sys
import numpy as np
from pathlib import Path
from tasks.evaluation.onnx_detector import load_onnx
assert "onnxruntime" not in sys.modules and "onnx" not in sys.modules
load_onnx(Path(sys.argv[1]), ["cat", "dög", "bird"]).detect([np.zeros((40, 60, 3), np.uint8)])
assert "tensorflow" not in sys.modules
"""


def test_an_onnx_file_needs_no_tensorflow_and_prints_nothing(export):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHOUT_TENSORFLOW, str(export / "model.onnx")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("missing", ["onnxruntime", "onnx"])
def test_an_environment_without_onnxruntime_is_told_what_to_run(export, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CheckpointError, match=f"onnxruntime, which cannot be imported .*{missing}.*: run `make setup`"):
        load_onnx(export / "model.onnx", CLASSES)


def test_a_file_of_another_maker_is_run_if_it_has_the_same_input_and_outputs(tmp_path):
    (found,) = load_onnx(written(tmp_path / "a.onnx", model()), ("cat",)).detect([IMAGE])
    assert found.classes == ("cat",)
    assert found.boxes.tolist() == [[0, 0, 30, 40]]
    assert found.scores.tolist() == [0.75]


def test_other_class_names_than_the_file_has_are_refused(export, tmp_path):
    with pytest.raises(
        CheckpointError, match=r"its classes are .*bird.*, but the label map's are .*cow.*: use the label map"
    ):
        load_onnx(export / "model.onnx", ("cat", "dög", "cow"))
    file = written(tmp_path / "a.onnx", model(metadata={"classes": "[" * 100_000}))
    with pytest.raises(CheckpointError, match="its classes are "):
        load_onnx(file, ("cat",))
    assert load_onnx(written(file, model(metadata={"classes": json.dumps(["cat"])})), ["cat"]).classes == ("cat",)


def test_an_operator_that_onnxruntime_does_not_know_is_named(tmp_path):
    made = model()
    made.graph.node.append(stranger())
    made.opset_import.append(helper.make_opsetid("com.stranger", 1))
    file = written(tmp_path / "a.onnx", made)
    with pytest.raises(CheckpointError, match="may do more than compute"):
        load_onnx(file, ("cat",))
    with pytest.raises(CheckpointError, match=r"a\.onnx: cannot be loaded: .*RunAnything.*; run `dvc repro`"):
        load_onnx(file, ("cat",), trust=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"detection_classes": [[2]]},
            "gives ids of classes from 2 to 2, but there are 1 class names: use the label map",
        ),
        ({"detection_classes": [[0]]}, "gives ids of classes from 0 to 0"),
        ({"detection_classes": [[1, 1]]}, r"gives detection_classes of shape \(1, 2\), expected \(1, 1\)"),
        ({"detection_boxes": [[[0, 0, 1]]]}, r"gives detection_boxes of shape \(1, 1, 3\), expected \(1, 1, 4\)"),
        ({"num_detections": [1, 1]}, r"gives num_detections of shape \(2,\), expected \(1,\)"),
        ({"num_detections": [2]}, "gives no numbers, or counts beyond 1"),
        ({"num_detections": [-1]}, "gives no numbers, or counts beyond 1"),
        ({"num_detections": [np.nan]}, "gives no numbers, or counts beyond 1"),
        ({"detection_scores": [[np.nan]]}, "gives no numbers, or counts beyond 1"),
        ({"detection_boxes": [[[0, 0, np.inf, 1]]]}, "gives no numbers, or counts beyond 1"),
    ],
)
def test_what_a_file_gives_is_checked(tmp_path, values, message):
    detector = load_onnx(written(tmp_path / "a.onnx", model(values)), ("cat",))
    with pytest.raises(CheckpointError, match=f"a.onnx: {message}"):
        detector.detect([IMAGE])


def test_a_file_for_images_of_one_size_says_so(tmp_path):
    made = model()
    made.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 320
    detector = load_onnx(written(tmp_path / "a.onnx", made), ("cat",))
    with pytest.raises(CheckpointError, match=r"a\.onnx: cannot be run: .*Expected: 320"):
        detector.detect([IMAGE])


def test_a_file_that_begins_as_one_of_onnxruntimes_own_format_is_read_as_what_was_checked(tmp_path):
    """Four bytes at the fifth place make onnxruntime take any bytes for its own format."""
    made = model()
    made.producer_name = "ORTM"
    file = written(tmp_path / "a.onnx", made)
    assert file.read_bytes()[4:8] == b"ORTM"
    (found,) = load_onnx(file, ("cat",)).detect([IMAGE])
    assert found.classes == ("cat",)


def test_an_output_of_another_kind_than_the_file_says_is_refused(tmp_path):
    made = model()
    made.graph.initializer[0].data_type = TensorProto.INT32
    with pytest.raises(CheckpointError, match=r"a\.onnx: cannot be loaded: "):
        load_onnx(written(tmp_path / "a.onnx", made), ("cat",))


def test_a_file_with_a_text_that_is_no_text_ends_in_a_sentence_alone(tmp_path, capfd):
    file = written(tmp_path / "a.onnx", model())
    file.write_bytes(file.read_bytes().replace(b"Identity", b"Identit\xff"))
    with pytest.raises(CheckpointError, match=r"a\.onnx: cannot be loaded: .*codec can't decode"):
        load_onnx(file, ("cat",))
    assert capfd.readouterr() == ("", "")
