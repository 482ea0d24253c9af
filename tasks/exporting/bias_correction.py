"""Biases of an int8 file, moved by what its rounded weights give too much or too little on average.

Rounding a convolution's weights changes its outputs by the rounding errors times its inputs. Inputs behind a ReLU have
a mean above zero, so that the change has one, too, another for each channel, which goes through all layers behind. It
follows from the inputs' means, measured on images, and its negative goes into the bias. This is bias correction as in
Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction (2019), with measured means in
place of those that BatchNorm has.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from tasks.exporting.interpreter import Floats, every_tensor
from tasks.exporting.tflite_layers import CONV, code_of, convolutions, is_grouped
from tasks.exporting.tflite_tensors import constant, file_of, put_constant, read_content


def correct_biases(quantised: bytes, model: bytes, images: Iterable[Floats]) -> bytes:
    """The int8 TFLite file `quantised` with other biases.

    Args:
        quantised: made of `model`; layers in float32 and convolutions in groups stay as they are.
        model: the float file.
        images: inputs of `model`, float32 `(1, height, width, 3)`, for the means; of training images only.
    """
    content, floats = read_content(quantised), read_content(model)
    # Names differ where a layer gives the network's output; the order in which layers run is the same.
    both = zip(convolutions(content), convolutions(floats), strict=True)
    pairs = [(each, other) for each, other in both if _can_be_corrected(content, each)]
    means = _means(model, {int(other.inputs[0]) for _, other in pairs}, images)
    for each, other in pairs:
        rounding = _weights(content, each) - constant(floats, other.inputs[1])
        # Both kinds have the inputs on their last axis; a depthwise convolution gives each of them by itself.
        summed = (1, 2, 3) if code_of(content, each) == CONV else (0, 1, 2)
        change = (rounding * means[int(other.inputs[0])]).sum(summed)
        _add_to_bias(content, each.inputs[2], -change)
    return file_of(content)


def _can_be_corrected(content: Any, operator: Any) -> bool:
    is_int8 = content.subgraphs[0].tensors[operator.inputs[1]].type == schema.TensorType.INT8
    return bool(is_int8 and not is_grouped(content, operator))


def _weights(content: Any, operator: Any) -> Floats:
    """What the integers stand for."""
    quantization = content.subgraphs[0].tensors[operator.inputs[1]].quantization
    values = constant(content, operator.inputs[1])
    along = [1] * values.ndim
    along[quantization.quantizedDimension] = -1
    scaled: Floats = values * np.asarray(quantization.scale, np.float32).reshape(along)
    return scaled


def _add_to_bias(content: Any, tensor: int, change: Floats) -> None:
    steps = np.asarray(content.subgraphs[0].tensors[tensor].quantization.scale, np.float64)
    limits = np.iinfo(np.int32)
    moved = constant(content, tensor) + np.round(change / steps)
    put_constant(content, tensor, np.clip(moved, limits.min, limits.max))


def _means(model: bytes, tensors: set[int], images: Iterable[Floats]) -> dict[int, Floats]:
    """The mean of each channel of each tensor, `(C,)`, over all images."""
    sums: dict[int, Any] = {}
    count = 0
    for means in every_tensor(model, tensors, images, _mean_of_one, "means of inputs"):
        count += 1
        for tensor, mean in means.items():
            sums[tensor] = sums[tensor] + mean if tensor in sums else mean
    return {tensor: total / count for tensor, total in sums.items()}


def _mean_of_one(tensor: int, value: Floats) -> Floats:
    mean: Floats = value.reshape(-1, value.shape[-1]).mean(axis=0)
    return mean
