"""An exported SavedModel, used as anyone would: plain TensorFlow, nothing of the OD API."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tasks.dataset.detections import Detections
from tasks.errors import CheckpointError
from tasks.evaluation.export_folder import check_files
from tasks.evaluation.model_ops import refuse_unsafe_model
from tasks.evaluation.outputs import Image, batch_detections, runs_of_one_size
from tasks.ground.stage_files import restored_by
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
