"""An exported SavedModel, used as anyone would: plain TensorFlow, nothing of the OD API."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.dataset.detections import Detections
from tasks.errors import CheckpointError
from tasks.evaluation.export_folder import check_files
from tasks.evaluation.model_ops import refuse_unsafe_model
from tasks.evaluation.outputs import Image, batch_detections, check_outputs, in_a_line, runs_of_one_size
from tasks.ground.stage_files import restored_by
from tasks.ground.text import quoted, shortened
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.model.onnx_file import INPUT, OUTPUTS

_LONGEST = 300


class SavedModelDetector:
    """The SavedModel of an export folder."""

    def __init__(self, folder: Path) -> None:
        """Load `folder`/saved_model and `folder`/label_map.pbtxt.

        Raises:
            CheckpointError: its signature is not that of the OD API's exports.
        """
        self.classes = read_label_map(folder / LABEL_MAP)
        self._folder = folder / "saved_model"
        self._model = tf.saved_model.load(str(self._folder))
        if "serving_default" not in self._model.signatures:
            raise CheckpointError(f"{self._folder}: has no signature serving_default, as the OD API's exports have")
        self._serve = self._model.signatures["serving_default"]
        _check_signature(self._serve, self._folder)
        self._shape: tf.TensorShape = self._serve.structured_input_signature[1][INPUT].shape

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `tasks.dataset.detections.Detector`; images of one size that follow each other run as one batch.

        A model that takes one image at a time, as the OD API's own exports do, gets one at a time.

        Raises:
            CheckpointError: the model cannot be run, or what it gives is not what it says.
        """
        found: list[Detections] = []
        for run in [[image] for image in images] if self._shape[0] == 1 else runs_of_one_size(images):
            outputs = self._run(np.stack(run))
            check_outputs(outputs, len(run), self.classes, self._folder)
            found += batch_detections(outputs, run, self.classes)
        return found

    def _run(self, batch: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
        # TensorFlow looks at the shape only where an operation does.
        if not self._shape.is_compatible_with(batch.shape):
            raise CheckpointError(
                f"{self._folder}: takes images of shape {self._shape}, but these are {batch.shape}: use a model for "
                "images of any size"
            )
        try:
            values = self._serve(**{INPUT: tf.constant(batch)})
            return {name: values[name].numpy().astype(np.float32) for name in OUTPUTS}
        # What TensorFlow raises for what the graph computes.
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"{self._folder}: cannot be run: {in_a_line(error)}; {restored_by('export')}"
            ) from error


def load_saved_model(folder: Path, *, trust: bool = False) -> SavedModelDetector:
    """The SavedModel in an export folder, unless it may do more than compute; `trust` loads it whatever it does.

    Raises:
        CheckpointError: it is missing, cannot be read, or reads or writes what lies outside of it.
        FormatError: its graph is too large, or no plain file.
    """
    check_files(folder, "saved_model", must_exist="saved_model/saved_model.pb")
    if not trust:
        refuse_unsafe_model(folder / "saved_model")
    try:
        return SavedModelDetector(folder)
    # What TensorFlow raises for a graph that does not fit its object graph, its types or its variables.
    except (OSError, tf.errors.OpError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise CheckpointError(f"{folder}/saved_model: cannot be read: {error}; {restored_by('export')}") from error


def _check_signature(serve: Any, folder: Path) -> None:
    """Refuse a signature that does not take photos as `input_tensor`, or lacks outputs of a detector."""
    inputs, outputs = serve.structured_input_signature[1], serve.structured_outputs
    image = inputs.get(INPUT)
    if len(inputs) != 1 or not (
        isinstance(image, tf.TensorSpec)
        and image.dtype == tf.uint8
        and image.shape.is_compatible_with([None, None, None, 3])
    ):
        given = ", ".join(f"{quoted(name)} {_described(spec)}" for name, spec in inputs.items())
        raise CheckpointError(
            f"{folder}: takes {shortened(given, _LONGEST) or 'nothing'}; expected '{INPUT}' uint8 "
            "(None, None, None, 3), as the OD API's exports with input type image_tensor have"
        )
    wrong = [name for name in OUTPUTS if not _gives_numbers(outputs.get(name))]
    if wrong:
        raise CheckpointError(
            f"{folder}: gives no {' and no '.join(wrong)} as numbers: no detector as the OD API exports them"
        )


def _gives_numbers(spec: Any) -> bool:
    return isinstance(spec, tf.TensorSpec) and (spec.dtype.is_floating or spec.dtype.is_integer)


def _described(spec: Any) -> str:
    return f"{spec.dtype.name} {spec.shape}" if isinstance(spec, tf.TensorSpec) else type(spec).__name__
