"""The MobileNet V1 of face-api's face detector, as the OD API's MobileNet V1 wants it.

No package was found that carries ImageNet weights of MobileNet V1, but face-api (npm, MIT licence) has a whole SSD
detector for faces with that backbone at its full width, whose names are the OD API's of TensorFlow 1. Its kernels are
eight-bit numbers, and of the BatchNorm behind each dense convolution only the offset is left: the rest is folded into
the kernel.

A folded layer computes the same but cannot be trained: once its BatchNorm takes the batch's own mean and deviation, the
offset alone stays of what was learned. So images are passed through, and each layer is given the mean and the variance
that its convolution really has, with a scale and an offset that undo them: the same function, and one that keeps its
distribution when trained.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.errors import CheckpointError
from tasks.sample_scenes.scenes import draw_scene
from tasks.weights.tfjs_weights import read_tfjs_weights

Array = npt.NDArray[np.float32]
Weights = dict[str, Array]

MANIFEST = "ssd_mobilenetv1_model-weights_manifest.json"
NUMBERS = "ssd_mobilenetv1_model.bin"

_ROOT = "MobilenetV1/"
# Of the first convolution, and of each block after it.
CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
# Blocks whose depthwise convolution halves height and width.
_HALVING = (2, 4, 6, 12)
_EPSILON = 1e-3
_CEILING = 6.0
_IMAGES, _SIDE_PX = 16, 160


class _Layer(NamedTuple):
    """A convolution with what follows it: `scale * convolution + offset`, cut to 0..6."""

    keras: str
    kernel: Array
    scale: Array
    offset: Array
    depthwise: bool
    stride: int


def find_face_detector(folder: Path) -> Path | None:
    """The manifest of face-api's detector in `folder`, the package or its `model/`; None where there is none."""
    return next((place / MANIFEST for place in (folder, folder / "model") if (place / MANIFEST).is_file()), None)


def read_mobilenet_v1(manifest: Path) -> Weights:
    """`<keras layer>/<weight>` -> float32 array, for the OD API's MobileNet V1 backbone (depth multiplier 1).

    Raises:
        CheckpointError: the files are broken, or are not that detector's.
    """
    try:
        return to_od_api(read_tfjs_weights(manifest), drawn_images())
    except KeyError as error:
        raise CheckpointError(f"{manifest}: no weight {error} in it; not face-api's SSD MobileNet V1") from error
    except ValueError as error:
        raise CheckpointError(f"{manifest}: {error}; not face-api's SSD MobileNet V1") from error


def drawn_images() -> Array:
    """`(B, H, W, 3)` generated scenes in [-1, 1], always the same."""
    scenes = (draw_scene(np.random.default_rng(seed), width=_SIDE_PX, height=_SIDE_PX) for seed in range(_IMAGES))
    return np.stack([np.asarray(scene.image, dtype=np.float32) / 127.5 - 1 for scene in scenes])


def to_od_api(weights: Mapping[str, Array], images: Array) -> Weights:
    """The backbone's weights under the names of the OD API, with statistics as `images` give them.

    Names: keras.applications' MobileNet, which object_detection/models/keras_models/mobilenet_v1.py wraps.

    Args:
        weights: as face-api names them.
        images: `(B, H, W, 3)` in [-1, 1]; H and W are multiples of 32.

    Raises:
        KeyError: a weight is missing.
        ValueError: one has another shape.
    """
    converted: Weights = {}
    maps = images
    for layer in _layers(weights):
        maps = _convolved(maps, layer)
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
    yield _folded(weights, "Conv2d_0_pointwise", "conv1", (3, 3, 3, CHANNELS[0]))
    for block, (inputs, outputs) in enumerate(pairwise(CHANNELS), start=1):
        stride = 2 if block in _HALVING else 1
        yield _normalised(weights, f"Conv2d_{block}_depthwise", f"conv_dw_{block}", (3, 3, inputs, 1), stride)
        yield _folded(weights, f"Conv2d_{block}_pointwise", f"conv_pw_{block}", (1, 1, inputs, outputs))


def _folded(weights: Mapping[str, Array], name: str, keras: str, shape: tuple[int, ...]) -> _Layer:
    kernel = _weight(weights, f"{name}/weights", shape)
    offset = _weight(weights, f"{name}/convolution_bn_offset", shape[-1:])
    stride = 2 if keras == "conv1" else 1
    return _Layer(keras, kernel, np.ones_like(offset), offset, depthwise=False, stride=stride)


def _normalised(weights: Mapping[str, Array], name: str, keras: str, shape: tuple[int, ...], stride: int) -> _Layer:
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (_weight(weights, f"{name}/BatchNorm/{kind}", shape[2:3]) for kind in names)
    scale = gamma / np.sqrt(np.maximum(variance, 0) + np.float32(_EPSILON))
    kernel = _weight(weights, f"{name}/depthwise_weights", shape)
    return _Layer(keras, kernel, scale, beta - scale * mean, depthwise=True, stride=stride)


def _weight(weights: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    found = weights[_ROOT + name]
    if found.shape != shape:
        raise ValueError(f"{name} has the shape {found.shape}, not {shape}")
    return found


def _convolved(maps: Array, layer: _Layer) -> Array:
    height, width, _, _ = layer.kernel.shape
    taps = _taps(maps, height, width, layer.stride)
    if layer.depthwise:
        return reduce(add, (part * layer.kernel[y, x, :, 0] for y, x, part in taps))
    return reduce(add, (part @ layer.kernel[y, x] for y, x, part in taps))


def _taps(maps: Array, height: int, width: int, stride: int) -> Iterator[tuple[int, int, Array]]:
    """What each place of a kernel sees, zeros around as TensorFlow's SAME has them: fewer above and left than below."""
    (rows, above), (columns, left) = (
        (-(-length // stride), max((-(-length // stride) - 1) * stride + size - length, 0) // 2)
        for length, size in ((maps.shape[1], height), (maps.shape[2], width))
    )
    around = np.pad(maps, ((0, 0), (above, height), (left, width), (0, 0)))
    for y in range(height):
        for x in range(width):
            yield y, x, around[:, y : y + rows * stride : stride, x : x + columns * stride : stride][:, :rows, :columns]
