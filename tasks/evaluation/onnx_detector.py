"""The exported ONNX file, run as anyone would: by onnxruntime, without TensorFlow."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.dataset.detections import Detections
from tasks.errors import CheckpointError
from tasks.evaluation.outputs import Image, batch_detections, check_outputs, in_a_line, runs_of_one_size
from tasks.ground.process import usable_cores
from tasks.ground.stage_files import restored_by
from tasks.ground.text import quoted
from tasks.model.onnx_file import CLASS_NAMES, INPUT, OUTPUTS

_FATAL = 4


class OnnxDetector:
    """An ONNX file with the input and the outputs of this project's export."""

    takes_pixels = True

    def __init__(self, session: Any, file: Path, classes: tuple[str, ...]) -> None:
        """Use an onnxruntime session of `file`, whose classes are named `classes`."""
        self.classes = classes
        self._session = session
        self._file = file

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `tasks.dataset.detections.Detector`; images of one size that follow each other run as one batch.

        Raises:
            CheckpointError: the model cannot be run, or what it gives is not what it says.
        """
        found: list[Detections] = []
        for run in runs_of_one_size(images):
            outputs = self._run(np.stack(run))
            check_outputs(outputs, len(run), self.classes, self._file)
            found += batch_detections(outputs, run, self.classes)
        return found

    def prepare(self, image: Image) -> npt.NDArray[np.uint8]:
        """The model's input for a photo: the photo itself, as a batch of one."""
        return image[np.newaxis]

    def run(self, prepared: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
        """The model's outputs by name.

        Raises:
            CheckpointError: the model cannot be run.
        """
        return self._run(prepared)

    def _run(self, batch: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
        try:
            values = self._session.run(list(OUTPUTS), {INPUT: batch})
        except _failures() as error:
            raise CheckpointError(
                f"{self._file}: cannot be run: {in_a_line(error)}; {restored_by('export')}"
            ) from error
        return dict(zip(OUTPUTS, values, strict=True))


def load_onnx(file: Path, classes: Sequence[str], *, threads: int | None = None, trust: bool = False) -> OnnxDetector:
    """The model in an ONNX file, unless it may do more than compute; `trust` loads one with operators of any domain.

    Args:
        file: the ONNX file.
        classes: in label-map order.
        threads: how many compute; None: one for each usable core.
        trust: whether its maker is trusted.

    Raises:
        CheckpointError: it cannot be loaded, is not safe or not one of ours (`read_onnx`), or has other classes.
        FormatError: it is too large, or no plain file.
    """
    _onnxruntime()
    from tasks.evaluation.onnx_ops import read_onnx  # noqa: PLC0415 - imports onnx

    model = read_onnx(file, trust=trust)
    _refuse_other_classes(file, {entry.key: entry.value for entry in model.metadata_props}, tuple(classes))
    # What was checked is what is loaded, and nothing that only the runtime knows of.
    model.DiscardUnknownFields()
    content = model.SerializeToString()
    del model
    try:
        session = _session(content, usable_cores() if threads is None else threads)
    except _failures() as error:
        raise CheckpointError(f"{file}: cannot be loaded: {in_a_line(error)}; {restored_by('export')}") from error
    return OnnxDetector(session, file, tuple(classes))


def _session(content: bytes, threads: int) -> Any:
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # What goes wrong is raised, too.
    options.log_severity_level = _FATAL
    # It would take bytes for its own format, which was not checked, by four of them that an ONNX file can have there.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Without that it prints, and tries the same again.
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"], enable_fallback=0)


def _onnxruntime() -> Any:
    try:
        # Wanted only where an ONNX file is run; an environment of an older set has neither.
        import onnx  # noqa: F401, PLC0415
        import onnxruntime  # noqa: PLC0415
    except ImportError as error:
        raise CheckpointError(
            f"an ONNX file is run by onnxruntime, which cannot be imported ({error}): run `make setup`"
        ) from error
    return onnxruntime


def _failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: many exceptions without a common base, and Python's own for what it does not take."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415

    own = [each for each in vars(state).values() if isinstance(each, type) and issubclass(each, Exception)]
    return (*own, RuntimeError, ValueError, TypeError)


def _refuse_other_classes(file: Path, metadata: dict[str, str], classes: tuple[str, ...]) -> None:
    """A file without class names is taken: others than ours have none."""
    if CLASS_NAMES not in metadata:
        return
    try:
        named = json.loads(metadata[CLASS_NAMES])
    except (ValueError, RecursionError):
        named = None
    if named != list(classes):
        raise CheckpointError(
            f"{file}: its classes are {quoted(str(metadata[CLASS_NAMES]))}, but the label map's are "
            f"{quoted(json.dumps(classes, ensure_ascii=False))}: use the label map that was exported with it"
        )
