"""An exported model in any of its forms, loaded by the runtime that is made for it."""

from pathlib import Path
from typing import Any, Protocol

from tasks.dataset.detections import Detector
from tasks.evaluation.export_folder import check_files
from tasks.evaluation.outputs import Image
from tasks.evaluation.saved_model import load_saved_model
from tasks.evaluation.tflite_model import load_tflite
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.model.variants import runtime_of


class FileDetector(Detector, Protocol):
    """A detector of one file, whose runtime can be timed alone."""

    def prepare(self, image: Image) -> Any:
        """The model's input for a photo."""

    def run(self, prepared: Any) -> object:
        """The model's outputs for its input."""


def load_exported(model: Path, *, trust: bool = False) -> Detector:
    """The SavedModel of the export folder `model`, or the variant in the file `model`.

    Raises:
        CheckpointError: it is missing, cannot be read, is no detector, or may do more than compute.
    """
    return load_variant(model, trust=trust) if model.is_file() else load_saved_model(model, trust=trust)


def load_variant(file: Path, *, threads: int | None = None, trust: bool = False) -> FileDetector:
    """The variant in `file`, with `threads` threads; None takes all usable cores.

    Raises:
        CheckpointError: it is missing, cannot be read, is no detector, or may do more than compute.
    """
    if runtime_of(file) == "ONNX Runtime":
        # Its package is large, and only used here.
        from tasks.evaluation.onnx_detector import load_onnx  # noqa: PLC0415

        check_files(file.parent, file.name)
        return load_onnx(file, read_label_map(file.parent / LABEL_MAP), threads=threads, trust=trust)
    return load_tflite(file, threads=threads, trust=trust)
