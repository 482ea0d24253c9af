"""An exported model in any of its forms, loaded by the runtime that is made for it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from tasks.dataset.detections import Detections, Detector
from tasks.evaluation.export_folder import check_files
from tasks.evaluation.outputs import Image
from tasks.evaluation.saved_model import load_saved_model
from tasks.evaluation.tflite_model import TFLiteDetector, load_tflite
from tasks.ground.process import usable_cores
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.model.variants import runtime_of


class FileDetector(Detector, Protocol):
    """A detector of one file, whose runtime can be timed alone."""

    @property
    def takes_pixels(self) -> bool:
        """Whether its input is pixels, uint8, in place of floats."""

    def prepare(self, image: Image) -> Any:
        """The model's input for a photo."""

    def run(self, prepared: Any) -> object:
        """The model's outputs for its input."""


class SideBySide:
    """A detector that takes one image at a time, made once for each core: each works on an image of a batch.

    Its threads live as long as a batch: they start within a millisecond, and none is left behind.
    """

    def __init__(self, alone: Detector, each: Sequence[Detector]) -> None:
        """`alone` has all threads, for a single image; `each` have one."""
        self.classes = alone.classes
        self._alone = alone
        self._free: SimpleQueue[Detector] = SimpleQueue()
        for detector in each:
            self._free.put(detector)
        self._threads = len(each)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `tasks.dataset.detections.Detector`."""
        if len(images) == 1:
            return self._alone.detect(images)
        pool = ThreadPoolExecutor(self._threads)
        try:
            return list(pool.map(self._detect_one, images))
        finally:
            pool.shutdown(cancel_futures=True)

    def _detect_one(self, image: Image) -> Detections:
        detector = self._free.get()
        try:
            return detector.detect([image])[0]
        finally:
            self._free.put(detector)


def load_exported(model: Path, *, trust: bool = False) -> Detector:
    """The SavedModel of the export folder `model`, or the variant in the file `model`, made for batches.

    Raises:
        CheckpointError: it is missing, cannot be read, is no detector, or may do more than compute.
    """
    if not model.is_file():
        return load_saved_model(model, trust=trust)
    detector = load_variant(model, trust=trust)
    if not isinstance(detector, TFLiteDetector):
        return detector
    return SideBySide(detector, [detector.with_threads(1) for _ in range(usable_cores())])


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
