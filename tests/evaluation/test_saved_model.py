"""SavedModels of strangers: what a detector's signature lacks is refused on load, what it gives is checked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tasks.errors import CheckpointError
from tasks.evaluation.saved_model import load_saved_model
from tasks.model.label_map import LABEL_MAP, write_label_map
from tasks.model.onnx_file import INPUT

IMAGE = np.zeros((40, 60, 3), np.uint8)
FOUND: dict[str, Any] = {
    "detection_boxes": [[[0, 0, 1, 0.5]]],
    "detection_scores": [[0.75]],
    "detection_classes": [[1]],
    "num_detections": [1],
}


def saved(
    folder: Path,
    outputs: Callable[[Any], dict[str, Any]],
    *,
    name: str = INPUT,
    dtype: Any = tf.uint8,
    shape: tuple[int | None, ...] = (None, None, None, 3),
) -> Path:
    """An export folder whose SavedModel gives `outputs` of the input `name`."""
    module = tf.Module()
    module.serve = tf.function(
        lambda **given: outputs(given[name]), input_signature=None, autograph=False
    ).get_concrete_function(**{name: tf.TensorSpec(shape, dtype, name=name)})
    tf.saved_model.save(module, str(folder / "saved_model"), signatures={"serving_default": module.serve})
    write_label_map(("cat",), folder / LABEL_MAP)
    return folder


def giving(values: dict[str, Any], dtype: Any = tf.float32) -> Callable[[Any], dict[str, Any]]:
    return lambda _: {name: tf.constant(value, dtype) for name, value in {**FOUND, **values}.items() if value}


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64, tf.int32], ids=repr)
def test_a_model_of_another_maker_is_run_if_it_has_the_same_input_and_outputs(tmp_path: Path, dtype: Any) -> None:
    folder = saved(tmp_path, giving({"detection_scores": [[1]], "detection_boxes": [[[0, 0, 1, 1]]]}, dtype))
    (found,) = load_saved_model(folder).detect([IMAGE])
    assert found.classes == ("cat",)
    assert found.boxes.tolist() == [[0, 0, 60, 40]]
    assert found.scores.tolist() == [1.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_detections": [-1]}, "gives no numbers, or counts beyond 1"),
        ({"num_detections": [2]}, "gives no numbers, or counts beyond 1"),
        ({"num_detections": [np.nan]}, "gives no numbers, or counts beyond 1"),
        ({"num_detections": [1, 1]}, r"gives num_detections of shape \(2,\), expected \(1,\)"),
        ({"detection_boxes": [[[0, 0, 1]]]}, r"gives detection_boxes of shape \(1, 1, 3\), expected \(1, 1, 4\)"),
        ({"detection_boxes": [[[0, 0, np.inf, 1]]]}, "gives no numbers, or counts beyond 1"),
        ({"detection_scores": [[np.nan]]}, "gives no numbers, or counts beyond 1"),
        ({"detection_classes": [[2]]}, "gives ids of classes from 2 to 2, but there are 1 class names"),
        ({"detection_classes": [[0]]}, "gives ids of classes from 0 to 0"),
    ],
)
def test_what_a_model_gives_is_checked(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    detector = load_saved_model(saved(tmp_path, giving(values)))
    with pytest.raises(CheckpointError, match=f"saved_model: {message}"):
        detector.detect([IMAGE])


def test_a_score_beyond_1_is_refused(tmp_path: Path) -> None:
    detector = load_saved_model(saved(tmp_path, giving({"detection_scores": [[2]]})))
    with pytest.raises(CheckpointError, match="or a score or a box that is none"):
        detector.detect([IMAGE])


@pytest.mark.parametrize(
    ("signature", "given"),
    [
        ({"dtype": tf.float32}, r"'input_tensor' float32 \(None, None, None, 3\)"),
        ({"name": "images"}, r"'images' uint8 \(None, None, None, 3\)"),
        ({"shape": (None, None)}, r"'input_tensor' uint8 \(None, None\)"),
    ],
    ids=["of floats", "by another name", "no image"],
)
def test_a_model_with_another_input_is_refused_on_load(tmp_path: Path, signature: dict[str, Any], given: str) -> None:
    folder = saved(tmp_path, giving({}), **signature)
    with pytest.raises(CheckpointError, match=rf"saved_model: takes {given}; expected 'input_tensor' uint8 "):
        load_saved_model(folder)


def test_a_model_without_an_output_is_refused_on_load(tmp_path: Path) -> None:
    folder = saved(tmp_path, giving({"num_detections": None}))
    with pytest.raises(CheckpointError, match="saved_model: gives no num_detections as numbers: no detector"):
        load_saved_model(folder)


def test_a_model_that_fails_as_it_runs_is_one_short_sentence(tmp_path: Path) -> None:
    def fail(images: Any) -> dict[str, Any]:
        return {**giving({})(images), "num_detections": tf.reshape(tf.cast(images, tf.float32), [7])}

    detector = load_saved_model(saved(tmp_path, fail))
    with pytest.raises(CheckpointError, match=r"saved_model: cannot be run: .*; run `dvc repro`") as raised:
        detector.detect([IMAGE])
    assert len(str(raised.value).removeprefix(str(tmp_path))) < 600
    assert "\n" not in str(raised.value)


def test_a_model_for_images_of_one_size_refuses_another(tmp_path: Path) -> None:
    detector = load_saved_model(saved(tmp_path, giving({}), shape=(None, 32, 32, 3)))
    assert len(detector.detect([IMAGE[:32, :32]])) == 1
    with pytest.raises(
        CheckpointError, match=r"takes images of shape \(None, 32, 32, 3\), but these are \(1, 40, 60, 3\)"
    ):
        detector.detect([IMAGE])


def test_a_model_for_one_image_at_a_time_gets_one_at_a_time(tmp_path: Path) -> None:
    detector = load_saved_model(saved(tmp_path, giving({}), shape=(1, None, None, 3)))
    assert [each.classes for each in detector.detect([IMAGE, IMAGE])] == [("cat",), ("cat",)]
