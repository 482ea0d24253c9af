"""Channels of a tensor brought nearer to one range before it is quantised; what the network computes stays.

An int8 tensor has one scale for all its channels: where one channel reaches 6 and another 0.5, the second has four bits
left. Convolutions let factors through: what one gives is multiplied channel by channel, and the weights of those that
take it are divided. The idea is that of cross-layer equalisation (Nagel et al., Data-Free Quantization Through Weight
Equalization and Bias Correction, 2019). The ranges are those of activations, and only a part of their difference is
moved, as the weights that take it up have eight bits, too (Xiao et al., SmoothQuant, 2023).

It works on the float TFLite file, where BatchNorm is folded already and layers are known by their operations, so that
it suits every backbone. Weights that several layers share, as the heads' tower has, stay as they are.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tasks.exporting.interpreter import Floats, every_tensor
from tasks.exporting.tflite_layers import CONV, RELU6, Channels, Layers
from tasks.exporting.tflite_tensors import constant, file_of, put_constant, read_content

# The part of the difference that is moved. On a detector of guns (20 images) the boxes' error against the float file
# was .099 without, .079 with 0.3, .081 with 0.5, .074 with 0.7 and .087 with 1.
_POWER = 0.7
# Beyond, a channel that is next to dead would decide on the ranges of weights.
_MOST = 16.0
# ReLU6 cuts at 6 whatever a channel is multiplied by; other images may reach somewhat farther than those measured.
_ROOM = 1.1


def equalise(model: bytes, images: Iterable[Floats]) -> bytes:
    """The float TFLite file `model` with equalised channels.

    `images` are inputs, float32 `(1, height, width, 3)`, that the ranges are measured on; of training images only.
    """
    content = read_content(model)
    layers = Layers(content)
    groups = layers.free_channels()
    reach = _reach(model, {tensor for group in groups for tensor in group.tensors}, images)
    for group in groups:
        factors = _factors(np.max([reach[tensor] for tensor in group.tensors], axis=0), group)
        for producer in group.producers:
            # The first axis holds the outputs of a convolution, the last those of a depthwise one.
            by_output = factors[:, None, None, None] if layers.code(producer) == CONV else factors
            _multiply(content, producer.inputs[1], by_output)
            for bias in producer.inputs[2:]:
                _multiply(content, bias, factors)
        for consumer in group.consumers:
            # The last axis holds the inputs of both kinds.
            _multiply(content, consumer.inputs[1], 1.0 / factors)
    return file_of(content)


def _factors(reach: Floats, group: Channels) -> Floats:
    """What each channel is multiplied by, given how far it reaches, `(C,)`: from 1 to `_MOST`."""
    is_cut = any(producer.builtinOptions.fusedActivationFunction == RELU6 for producer in group.producers)
    target = 6.0 if is_cut else float(reach.max())
    wanted = (target / np.maximum(_ROOM * reach, 1e-6)) ** _POWER
    factors: Floats = np.clip(wanted, 1.0, _MOST).astype(np.float32)
    return factors


def _reach(model: bytes, tensors: set[int], images: Iterable[Floats]) -> dict[int, Floats]:
    """The largest absolute value of each channel of each tensor, `(C,)`, over all images."""
    largest: dict[int, Floats] = {}
    for reaches in every_tensor(model, tensors, images, _reach_of_one, "how far channels reach"):
        for tensor, reach in reaches.items():
            largest[tensor] = np.maximum(largest[tensor], reach) if tensor in largest else reach
    return largest


def _reach_of_one(tensor: int, value: Floats) -> Floats:
    reach: Floats = np.abs(value).reshape(-1, value.shape[-1]).max(axis=0)
    return reach


def _multiply(content: Any, tensor: int, factors: Floats) -> None:
    if tensor >= 0:
        put_constant(content, tensor, constant(content, tensor) * factors)
