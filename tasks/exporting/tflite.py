"""TFLite files of the detection graph: as it is, with float16 weights, with int8 weights, or with int8 throughout."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.convert_phase import ConverterError
from tqdm import tqdm

from tasks.errors import CheckpointError
from tasks.exporting.bias_correction import correct_biases
from tasks.exporting.equalise import equalise
from tasks.exporting.interpreter import Images, operation_names
from tasks.exporting.ranges import with_ranges
from tasks.exporting.tflite_graph import PEAKS
from tasks.exporting.tflite_tensors import file_of, read_content

# A channel that stays quiet in a few images may not in others, and ReLU6 would cut it.
_LEAST_TO_EQUALISE = 32
# A mean is over all places of an image already.
_IMAGES_FOR_MEANS = 32
# What the names of a graph's outputs begin with.
_OUTPUTS = "StatefulPartitionedCall"
# The layers that turn features into boxes and scores, by the names that the OD API gives their operations.
_HEADS = re.compile(
    "BoxHead|ClassHead|BoxPredictor|ClassPredictor|box_predictor"
    # CenterNet's; of the layers before them the activation's name comes first.
    r"|^(center|box_scale|box_offset)_\d+/conv2d"
)


@dataclass(frozen=True)
class Form:
    """One way to make the int8 file.

    Attributes:
        name: for people.
        float_head: whether the last layers of both heads compute in float32.
        wide_activations: whether activations have 16 bits; the input is then float32.
        all_images: whether ranges are measured on all training images in place of `export.calibration_images`.
    """

    name: str
    float_head: bool = False
    wide_activations: bool = False
    all_images: bool = False


# In the order in which they are tried where the one before loses too much. 16-bit activations come last: on a CPU they
# take many times as long as float32, and an Edge TPU does not compute with them.
FORMS = (
    Form("full integer, weights by channel"),
    Form("full integer but for the last layers of the heads", float_head=True),
    Form("full integer, ranges of all training images", all_images=True),
    Form("16-bit activations, 8-bit weights", wide_activations=True),
)


class Converter:
    """Makes the TFLite files of one graph.

    The float32 file, which the int8 file is made of, is converted once; what is measured on images is measured once for
    each number of them.
    """

    def __init__(self, graph: Path) -> None:
        """Of the SavedModel `graph` of a `tflite_graph`."""
        self._graph = graph
        self._float32: bytes | None = None
        self._measured: dict[int, bytes] = {}

    def convert(self, kind: str) -> bytes:
        """The file with floats between layers: `float32`, `float16` or `dynamic`.

        Raises:
            CheckpointError: the converter cannot make it.
        """
        if kind == "float32":
            if self._float32 is None:
                self._float32 = _convert(_converter(self._graph))
            return self._float32
        converter = _converter(self._graph)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return _convert(converter)

    def quantize(self, form: Form, images: Images) -> bytes:
        """The file in this form; `images` are float32 `(1, height, width, 3)` in -1..1, of training images only.

        Raises:
            CheckpointError: an operation cannot be quantised.
        """
        if form.wide_activations:
            return self._wide(images)
        if len(images) not in self._measured:
            even = self.convert("float32")
            if len(images) >= _LEAST_TO_EQUALISE:
                even = equalise(even, images)
            self._measured[len(images)] = with_ranges(even, images)
        measured = self._measured[len(images)]
        left = _left_in_float(set(operation_names(measured)), form)
        if any(name.startswith(PEAKS) for name in left):
            measured = _without_ranges(measured, left)
        try:
            content: bytes = mlir_quantize(measured, input_data_type=tf.uint8, denylisted_nodes=left or None)
        except (ConverterError, ValueError, RuntimeError) as error:
            raise _no_such_variant(error) from error
        return correct_biases(content, measured, images.first(_IMAGES_FOR_MEANS))

    def _wide(self, images: Images) -> bytes:
        # Ranges are the converter's own here: some are too wide (see `ranges`), which 16 bits allow for.
        converter = _converter(self._graph)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [image] for image in tqdm(images, desc="export: int8, ranges of 16 bits", unit="image")
        )
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
            tf.lite.OpsSet.TFLITE_BUILTINS,
        ]
        return _convert(converter)


def _without_ranges(measured: bytes, operations: set[str]) -> bytes:
    """The measured file without the ranges of what these operations give, which would be rounded all the same."""
    content = read_content(measured)
    for tensor in content.subgraphs[0].tensors:
        if tensor.quantization is not None and bytes(tensor.name).decode() in operations:
            tensor.quantization = None
    return file_of(content)


def _left_in_float(operations: set[str], form: Form) -> set[str]:
    """The operations, by name, that are not quantised.

    Of scores with 8 bits, neighbours would be equal, each of them a peak; and indices have more than 256 values.
    """
    peaks = {name for name in operations if name.startswith(f"{PEAKS}/")}
    left = peaks | {name for name in operations if peaks and name.startswith(_OUTPUTS)}
    return left | {name for name in operations if form.float_head and _HEADS.search(name)}


def _converter(graph: Path) -> Any:
    # Only a SavedModel carries the mark by which the converter knows the detection operation.
    converter = tf.lite.TFLiteConverter.from_saved_model(str(graph))
    converter.allow_custom_ops = True
    return converter


def _convert(converter: Any) -> bytes:
    try:
        content: bytes = converter.convert()
    except ConverterError as error:
        raise _no_such_variant(error) from error
    return content


def _no_such_variant(error: Exception) -> CheckpointError:
    reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
    return CheckpointError(
        f"export: TensorFlow's converter cannot make this variant ({reason}); leave it out of export.variants, or "
        "choose another model.name"
    )
