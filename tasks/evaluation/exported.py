"""Exported models, used as anyone would: plain TensorFlow and TFLite, nothing of the OD API."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tasks.dataset.detections import Detections
from tasks.errors import CheckpointError
from tasks.evaluation.model_ops import refuse_unsafe_model
from tasks.evaluation.outputs import Image, as_detections, batch_detections, runs_of_one_size
from tasks.evaluation.tflite_ops import read_tflite
from tasks.ground.process import usable_cores
from tasks.ground.stage_files import restored_by
from tasks.model.checksums import check_checksums
from tasks.model.label_map import LABEL_MAP, read_label_map


class SavedModelDetector:
    """The SavedModel of an export folder."""

    def __init__(self, folder: Path) -> None:
        """Load `folder`/saved_model and `folder`/label_map.pbtxt."""
        self.classes = read_label_map(folder / LABEL_MAP)
        self._model = tf.saved_model.load(str(folder / "saved_model"))
        if "serving_default" not in self._model.signatures:
            raise CheckpointError(
                f"{folder}/saved_model: has no signature serving_default, as the OD API's exports have"
            )
        self._serve = self._model.signatures["serving_default"]

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `tasks.dataset.detections.Detector`; images of one size that follow each other run as one batch."""
        found: list[Detections] = []
        for run in runs_of_one_size(images):
            outputs = {name: t.numpy() for name, t in self._serve(input_tensor=tf.constant(np.stack(run))).items()}
            found += batch_detections(outputs, run, self.classes)
        return found


class TFLiteDetector:
    """The TFLite model of an export folder."""

    def __init__(self, folder: Path, model: bytes) -> None:
        """Load `model`, the content of `folder`/model.tflite, and `folder`/label_map.pbtxt."""
        self.classes = read_label_map(folder / LABEL_MAP)
        with warnings.catch_warnings():
            # TensorFlow means to drop its interpreter in favour of LiteRT's; it is pinned (docs/adr/0002).
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
            self._interpreter = tf.lite.Interpreter(model_content=model, num_threads=usable_cores())
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        # The OD API's exporter numbers them from 0: count, scores, class indices, boxes.
        self._outputs = sorted(self._interpreter.get_output_details(), key=lambda output: output["name"])

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `tasks.dataset.detections.Detector`; one image at a time, which is the model's batch size."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> Detections:
        _, height, width, _ = self._input["shape"]
        # From bytes: TensorFlow gives the same values as from floats, without a copy of the photo in floats.
        resized = tf.image.resize(image[np.newaxis], [height, width]).numpy().astype(np.float32)
        self._interpreter.set_tensor(self._input["index"], resized * (2.0 / 255.0) - 1.0)
        self._interpreter.invoke()
        count, scores, classes, boxes_tf = (self._interpreter.get_tensor(o["index"])[0] for o in self._outputs)
        n = int(count)
        return as_detections(boxes_tf[:n], classes[:n], scores[:n], image, self.classes)


def load_saved_model(folder: Path, *, trust: bool = False) -> SavedModelDetector:
    """The SavedModel in an export folder, unless it may do more than compute; `trust` loads it whatever it does.

    Raises:
        CheckpointError: it is missing, cannot be read, or reads or writes what lies outside of it.
    """
    _require(folder, "saved_model/saved_model.pb")
    check_checksums(folder, "saved_model", *_beside(folder))
    if not trust:
        refuse_unsafe_model(folder / "saved_model")
    try:
        return SavedModelDetector(folder)
    # What TensorFlow raises for a graph that does not fit its object graph, its types or its variables.
    except (OSError, tf.errors.OpError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise CheckpointError(f"{folder}/saved_model: cannot be read: {error}; {restored_by('export')}") from error


def load_tflite(folder: Path, *, trust: bool = False) -> TFLiteDetector:
    """The TFLite model in an export folder, unless it may do more than compute; `trust` loads it whatever it does.

    Raises:
        CheckpointError: it is missing, cannot be read, or names operations that are not TFLite's own.
    """
    _require(folder, "model.tflite")
    check_checksums(folder, "model.tflite", *_beside(folder))
    model = read_tflite(folder / "model.tflite", trust=trust)
    try:
        return TFLiteDetector(folder, model)
    # A RuntimeError: it has an operation that this interpreter does not know.
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{folder}/model.tflite: cannot be read: {error}; {restored_by('export')}") from error


def _require(folder: Path, *names: str) -> None:
    for name in (*names, LABEL_MAP):
        if not (folder / name).exists():
            raise CheckpointError(f"{folder / name}: no such file; run `make run`, or name an export folder")


def _beside(folder: Path) -> list[str]:
    """What is used with either model; a model may lack thresholds.json."""
    return [name for name in (LABEL_MAP, "thresholds.json") if (folder / name).exists()]
