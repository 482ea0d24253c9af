"""An exported TFLite file, used as anyone would: TFLite's own interpreter, nothing of the OD API."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.dataset.detections import Detections
from tasks.errors import CheckpointError
from tasks.evaluation.export_folder import check_files
from tasks.evaluation.outputs import Image, as_detections
from tasks.evaluation.preprocess import boxes_of_photo, model_input, scaled
from tasks.evaluation.tflite_ops import read_tflite
from tasks.evaluation.tflite_options import DETECTION, DetectionOptions, read_detection_options
from tasks.ground.process import usable_cores
from tasks.ground.stage_files import restored_by
from tasks.model.geometry import read_resizer
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.model.resizer import Resizer

_KINDS = (np.float32, np.uint8)
_PIPELINE_CONFIG = "pipeline.config"


class TFLiteDetector:
    """A TFLite file that ends in TFLite's detection operation."""

    def __init__(self, model: bytes, classes: tuple[str, ...], *, threads: int, resizer: Resizer | None = None) -> None:
        """Make an interpreter with `threads` threads of the file's content.

        `resizer` is how photos come on its input; None stretches them to its size.

        Raises:
            ValueError: it is no detector with one image as its input, its detection operation is out of range, or its
                input is not the canvas of `resizer`.
            RuntimeError: it has an operation that this interpreter does not know.
        """
        self.classes = classes
        self._model = model
        # Before the interpreter reads them: it makes room for whatever they say.
        options = read_detection_options(model)
        if options is not None and options.num_classes != len(classes):
            raise ValueError(f"it tells {options.num_classes} classes apart, but its label map names {len(classes)}")
        with warnings.catch_warnings():
            # TensorFlow means to drop its interpreter in favour of LiteRT's; it is pinned (docs/adr/0002).
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
            self._interpreter = tf.lite.Interpreter(model_content=model, num_threads=threads)
        self._interpreter.allocate_tensors()
        _check_detection_inputs(self._interpreter)
        self._input = _image_input(self._interpreter.get_input_details())
        _, height, width, _ = (int(side) for side in self._input["shape"])
        self._resizer = resizer or Resizer(width=width, height=height)
        if self._resizer.canvas != (height, width):
            raise ValueError(f"its input is {width} x {height} px, but {_PIPELINE_CONFIG} beside it says {resizer}")
        # Numbered from 0 as the OD API's exporter does: count, scores, class indices, boxes.
        self._outputs = sorted(self._interpreter.get_output_details(), key=lambda output: output["name"])
        shapes = [tuple(output["shape"]) for output in self._outputs]
        n = shapes[1][1] if len(shapes) == 4 and len(shapes[1]) == 2 else 0
        if not n or shapes != [(1,), (1, n), (1, n), (1, n, 4)]:
            raise ValueError("its outputs are not count, scores, classes and boxes, as TFLite's detection gives them")
        self._options = options or DetectionOptions(n, 1, len(classes))

    def with_threads(self, threads: int) -> "TFLiteDetector":
        """Another detector of the same file, with `threads` threads."""
        return TFLiteDetector(self._model, self.classes, threads=threads, resizer=self._resizer)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `tasks.dataset.detections.Detector`; one image at a time, which is the model's batch size."""
        return [self._detect_one(image) for image in images]

    @property
    def takes_pixels(self) -> bool:
        """Whether its input is pixels, uint8, in place of floats."""
        return self._input["dtype"] is np.uint8

    def prepare(self, image: Image) -> npt.NDArray[Any]:
        """The model's input for a photo."""
        if not self.takes_pixels:
            return model_input(image, self._resizer)
        # The input's range is that of all pixels, so that a pixel is its own number.
        pixels: npt.NDArray[np.uint8] = np.rint(scaled(image, self._resizer)).astype(np.uint8)
        return pixels

    def run(self, prepared: npt.NDArray[Any]) -> list[npt.NDArray[np.float32]]:
        """Count, scores, class indices and boxes, `(1,)`, `(1, N)`, `(1, N)` and `(1, N, 4)`."""
        self._interpreter.set_tensor(self._input["index"], prepared)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(output["index"]) for output in self._outputs]

    def _detect_one(self, image: Image) -> Detections:
        try:
            count, scores, classes, boxes_tf = (output[0] for output in self.run(self.prepare(image)))
        # A ValueError: an output of a size that memory does not hold.
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(f"the TFLite model cannot be run: {error}; {restored_by('export')}") from error
        # The count is of boxes, each with several entries, one for each of its classes; what follows was never written.
        # The SavedModel gives as many detections as there are boxes here, and none without a score.
        entries = int(np.clip(np.nan_to_num(count), 0, len(scores))) * self._options.classes_a_box
        best = np.argsort(-scores[:entries], kind="stable")[: self._options.max_detections]
        best = best[scores[best] > 0.0]
        boxes = boxes_of_photo(boxes_tf[best], image, self._resizer)
        if self._resizer.keeps_proportions:
            # What lies in the black beside the photo; the SavedModel leaves it out itself.
            seen = (boxes[:, :2] < 1.0).all(axis=1) & (boxes[:, 2:] > 0.0).all(axis=1)
            boxes, best = boxes[seen], best[seen]
        return as_detections(boxes, classes[best], scores[best], image, self.classes)


def load_tflite(file: Path, *, threads: int | None = None, trust: bool = False) -> TFLiteDetector:
    """A TFLite file of an export folder, unless it may do more than compute; `trust` loads it whatever it does.

    `threads` is how many the interpreter takes; None takes all usable cores.

    Raises:
        CheckpointError: it is missing, cannot be read, is no detector, or names operations that are not TFLite's own.
    """
    check_files(file.parent, file.name)
    model = read_tflite(file, trust=trust)
    classes = read_label_map(file.parent / LABEL_MAP)
    try:
        return TFLiteDetector(model, classes, threads=threads or usable_cores(), resizer=_resizer_beside(file))
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{file}: cannot be read: {error}; {restored_by('export')}") from error


def _resizer_beside(file: Path) -> Resizer | None:
    """That of the pipeline.config beside a file, where it keeps proportions; a file alone does not say so."""
    config = file.parent / _PIPELINE_CONFIG
    resizer = read_resizer(config) if config.is_file() else None
    return resizer if resizer and resizer.keeps_proportions else None


def _check_detection_inputs(interpreter: Any) -> None:
    """Refuse a detection operation with fewer anchors or scores than boxes: it would read beyond them."""
    shapes = {each["index"]: tuple(each["shape"].tolist()) for each in interpreter.get_tensor_details()}
    # Not in TensorFlow's public interface; its debugger of quantised models reads operations in this way.
    for operation in interpreter._get_ops_details():
        if operation["op_name"] == DETECTION:
            boxes, scores, anchors = (shapes[int(i)] for i in operation["inputs"])
            if boxes[1:2] != scores[1:2] or boxes[1:2] != anchors[:1]:
                raise ValueError(f"its detection operation takes boxes {boxes}, scores {scores} and anchors {anchors}")


def _image_input(details: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(details) == 1:
        shape, kind = tuple(details[0]["shape"]), details[0]["dtype"]
        if len(shape) == 4 and shape[0] == 1 and shape[3] == 3 and kind in _KINDS:
            return details[0]
    raise ValueError("its input is not one RGB image (1, height, width, 3) of float32 or uint8")
