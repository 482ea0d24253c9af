"""The MobileNet V1 of face-api's face detector, as the OD API's MobileNet V1 wants it.

No package was found that carries ImageNet weights of MobileNet V1. But face-api (npm, MIT licence) has an SSD detector
for faces with that backbone at its full width, under the names of the OD API of TensorFlow 1. Its kernels are eight-bit
numbers. Of the BatchNorm after each dense convolution only the offset is left: the rest is folded into the kernel.

A folded layer computes the same but cannot be trained: its BatchNorm would take the batch's own mean and deviation, and
of what was learned only the offset would stay. So images are passed through the network, and each layer gets the mean
and the variance that its convolution really has, with a scale and an offset that undo them. The function is the same,
and it keeps its distribution in training.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.artifacts.base import BaseDescription, write_arrays
from tasks.errors import CheckpointError
from tasks.ground.files import sha256_of
from tasks.sample_scenes.scenes import draw_scene
from tasks.weights.request import WeightsRequest
from tasks.weights.tfjs_weights import read_tfjs_weights

Array = npt.NDArray[np.float32]
Weights = dict[str, Array]

MANIFEST = "ssd_mobilenetv1_model-weights_manifest.json"
NUMBERS = "ssd_mobilenetv1_model.bin"

_ROOT = "MobilenetV1/"
# Output channels of the first convolution, and of each block after it.
CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
# Blocks whose depthwise convolution halves height and width.
_HALVING = (2, 4, 6, 12)
_EPSILON = 1e-3
_CEILING = 6.0
_IMAGES, _SIDE_PX = 16, 160


class _Layer(NamedTuple):
    """A convolution and what follows it: `scale * convolution + offset`, clipped to 0..6."""

    keras: str
    kernel: Array
    scale: Array
    offset: Array
    depthwise: bool
    stride: int


def find_face_detector(folder: Path) -> Path | None:
    """The manifest of face-api's detector in `folder`, the package or its `model/`; None where it is missing."""
    return next((place / MANIFEST for place in (folder, folder / "model") if (place / MANIFEST).is_file()), None)


def take_face_detector(manifest: Path, origin: Path, request: WeightsRequest, into: Path) -> BaseDescription:
    """Write the backbone of face-api's detector into the folder `into`; `origin` is how the user knows `manifest`.

    Raises:
        CheckpointError: the files are broken, or are not that detector's.
    """
    write_arrays(read_mobilenet_v1(manifest), into)
    return request.description(
        "weights",
        f"backbone of face-api's face detector: {origin.as_posix()}",
        sha256=sha256_of(manifest.with_name(NUMBERS)),
        licence="MIT (face-api)",
    )


def read_mobilenet_v1(manifest: Path) -> Weights:
    """`<keras layer>/<weight>` -> float32 array, for the OD API's MobileNet V1 backbone (depth multiplier 1).

    Raises:
        CheckpointError: the files are broken, or are not that detector's.
    """
    try:
        return to_od_api(read_tfjs_weights(manifest), drawn_images())
    except KeyError as error:
        raise CheckpointError(f"{manifest}: the weight {error} is missing; not face-api's SSD MobileNet V1") from error
    except ValueError as error:
        raise CheckpointError(f"{manifest}: {error}; not face-api's SSD MobileNet V1") from error


def drawn_images() -> Array:
    """`(B, H, W, 3)` generated scenes in [-1, 1], always the same."""
    scenes = (draw_scene(np.random.default_rng(seed), width=_SIDE_PX, height=_SIDE_PX) for seed in range(_IMAGES))
    return np.stack([np.asarray(scene.image, dtype=np.float32) / 127.5 - 1 for scene in scenes])


def to_od_api(weights: Mapping[str, Array], images: Array) -> Weights:
    """The backbone's weights under the names of the OD API, with BatchNorm statistics measured on `images`.

    Names: keras.applications' MobileNet, which object_detection/models/keras_models/mobilenet_v1.py wraps.

    Args:
        weights: as face-api names them.
        images: `(B, H, W, 3)` in [-1, 1]; H and W are multiples of 32.

    Raises:
        KeyError: a weight is missing.
        ValueError: a weight has another shape.
    """
    converted: Weights = {}
    maps = images
    for layer in _layers(weights):
        maps = _convolve(maps, layer)
        mean, variance = maps.mean(axis=(0, 1, 2)), maps.var(axis=(0, 1, 2))
        kind = "depthwise_kernel" if layer.depthwise else "kernel"
        converted |= {
            f"{layer.keras}/{kind}": layer.kernel,
            f"{layer.keras}_bn/gamma": layer.scale * np.sqrt(variance + np.float32(_EPSILON)),
            f"{layer.keras}_bn/beta": layer.offset + layer.scale * mean,
            f"{layer.keras}_bn/moving_mean": mean,
            f"{layer.keras}_bn/moving_variance": variance,
        }
        maps = np.clip(layer.scale * maps + layer.offset, 0, _CEILING)
    return converted


def _layers(weights: Mapping[str, Array]) -> Iterator[_Layer]:
    yield _dense_layer(weights, "Conv2d_0_pointwise", "conv1", (3, 3, 3, CHANNELS[0]))
    for block, (inputs, outputs) in enumerate(pairwise(CHANNELS), start=1):
        stride = 2 if block in _HALVING else 1
        yield _depthwise_layer(weights, f"Conv2d_{block}_depthwise", f"conv_dw_{block}", (3, 3, inputs, 1), stride)
        yield _dense_layer(weights, f"Conv2d_{block}_pointwise", f"conv_pw_{block}", (1, 1, inputs, outputs))


def _dense_layer(weights: Mapping[str, Array], name: str, keras: str, shape: tuple[int, ...]) -> _Layer:
    kernel = _weight(weights, f"{name}/weights", shape)
    offset = _weight(weights, f"{name}/convolution_bn_offset", shape[-1:])
    stride = 2 if keras == "conv1" else 1
    return _Layer(keras, kernel, np.ones_like(offset), offset, depthwise=False, stride=stride)


def _depthwise_layer(
    weights: Mapping[str, Array], name: str, keras: str, shape: tuple[int, ...], stride: int
) -> _Layer:
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (_weight(weights, f"{name}/BatchNorm/{kind}", shape[2:3]) for kind in names)
    scale = (gamma / np.sqrt(np.maximum(variance, 0) + np.float32(_EPSILON))).astype(np.float32)
    kernel = _weight(weights, f"{name}/depthwise_weights", shape)
    return _Layer(keras, kernel, scale, beta - scale * mean, depthwise=True, stride=stride)


def _weight(weights: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    weight = weights[_ROOT + name]
    if weight.shape != shape:
        raise ValueError(f"{name} has the shape {weight.shape}, not {shape}")
    return weight


def _convolve(maps: Array, layer: _Layer) -> Array:
    height, width, _, _ = layer.kernel.shape
    taps = _taps(maps, height, width, layer.stride)
    if layer.depthwise:
        return reduce(add, (seen * layer.kernel[y, x, :, 0] for y, x, seen in taps))
    return reduce(add, (seen @ layer.kernel[y, x] for y, x, seen in taps))


def _taps(maps: Array, height: int, width: int, stride: int) -> Iterator[tuple[int, int, Array]]:
    """The pixels under each place of a kernel, padded as TensorFlow's SAME does: fewer zeros above and left."""
    (rows, above), (columns, left) = (
        (-(-length // stride), max((-(-length // stride) - 1) * stride + size - length, 0) // 2)
        for length, size in ((maps.shape[1], height), (maps.shape[2], width))
    )
    around = np.pad(maps, ((0, 0), (above, height), (left, width), (0, 0)))
    for y in range(height):
        for x in range(width):
            yield y, x, around[:, y : y + rows * stride : stride, x : x + columns * stride : stride][:, :rows, :columns]
