"""The MobileNet V1 of face-api's face detector, as the OD API's MobileNet V1 wants it.

No package was found that carries ImageNet weights of MobileNet V1. But face-api has an SSD detector for faces with that
backbone at its full width, under the names of the OD API of TensorFlow 1. Its kernels are eight-bit numbers. Of the
BatchNorm after each dense convolution only the offset is left: the rest is folded into the kernel.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from studies.weights.folded import Array, Arrays, identity_batch_norm
from studies.weights.tfjs_weights import read_tfjs_weights
from tasks.errors import CheckpointError

_ROOT = "MobilenetV1/"
# Output channels of the first convolution, and of each block after it.
CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)


def read_mobilenet_v1(manifest: Path) -> Arrays:
    """`<keras layer>/<weight>` -> float32 array, for the OD API's MobileNet V1 backbone (depth multiplier 1).

    Raises:
        CheckpointError: the files are broken, or are not that detector's.
    """
    try:
        return to_od_api(read_tfjs_weights(manifest))
    except KeyError as error:
        raise CheckpointError(f"{manifest}: the weight {error} is missing; not face-api's SSD MobileNet V1") from error
    except ValueError as error:
        raise CheckpointError(f"{manifest}: {error}; not face-api's SSD MobileNet V1") from error


def to_od_api(weights: Mapping[str, Array]) -> Arrays:
    """The backbone's weights under the names of the OD API; where only an offset is left, BatchNorm only adds it.

    Names: keras.applications' MobileNet, which object_detection/models/keras_models/mobilenet_v1.py wraps.

    Raises:
        KeyError: a weight is missing.
        ValueError: a weight has another shape.
    """
    arrays = _dense(weights, "Conv2d_0_pointwise", "conv1", (3, 3, 3, CHANNELS[0]))
    for block, (inputs, outputs) in enumerate(pairwise(CHANNELS), start=1):
        arrays |= _depthwise(weights, f"Conv2d_{block}_depthwise", f"conv_dw_{block}", inputs)
        arrays |= _dense(weights, f"Conv2d_{block}_pointwise", f"conv_pw_{block}", (1, 1, inputs, outputs))
    return arrays


def _dense(weights: Mapping[str, Array], name: str, keras: str, shape: tuple[int, ...]) -> Arrays:
    offset = _weight(weights, f"{name}/convolution_bn_offset", shape[-1:])
    batch_norm = {f"{keras}_bn/{key}": value for key, value in identity_batch_norm(offset).items()}
    return {f"{keras}/kernel": _weight(weights, f"{name}/weights", shape)} | batch_norm


def _depthwise(weights: Mapping[str, Array], name: str, keras: str, channels: int) -> Arrays:
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    arrays = {f"{keras}_bn/{kind}": _weight(weights, f"{name}/BatchNorm/{kind}", (channels,)) for kind in names}
    # Eight bits made some variances negative.
    arrays[f"{keras}_bn/moving_variance"] = np.maximum(arrays[f"{keras}_bn/moving_variance"], np.float32(0))
    return {f"{keras}/depthwise_kernel": _weight(weights, f"{name}/depthwise_weights", (3, 3, channels, 1))} | arrays


def _weight(weights: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    weight = weights[_ROOT + name]
    if weight.shape != shape:
        raise ValueError(f"{name} has the shape {weight.shape}, not {shape}")
    return weight
