"""torchvision's MobileNetV2 ImageNet weights as the OD API's MobileNetV2 wants them.

Besides names and axis order, two things differ. Both are folded into the weights, exactly:

* torchvision normalises images with ImageNet's mean and standard deviation; the OD API feeds [-1, 1];
* torchvision's BatchNorm adds 1e-5 to the variance, the OD API's 1e-3.

One difference stays: at stride 2, TensorFlow pads below and to the right, PyTorch on all sides.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studies.weights.torch_weights import read_torch_weights
from tasks.errors import CheckpointError

Weights = dict[str, npt.NDArray[np.float32]]

# torchvision/transforms: what its ImageNet models were trained with, RGB, for pixels in [0, 1].
_MEAN = np.array([0.485, 0.456, 0.406])
_STD = np.array([0.229, 0.224, 0.225])
_TORCH_EPSILON = 1e-5
_TF_EPSILON = 1e-3
_RESIDUAL_BLOCKS = 16


def read_imagenet_weights(path: Path) -> Weights:
    """`<keras layer>/<weight>` -> float32 array, for the OD API's MobileNetV2 backbone (depth multiplier 1).

    Raises:
        CheckpointError: the file is broken, or is not torchvision's MobileNetV2.
    """
    try:
        return to_od_api(read_torch_weights(path))
    except KeyError as error:
        raise CheckpointError(f"{path}: the weight {error} is missing; not torchvision's MobileNetV2") from error


def to_od_api(torch_weights: Mapping[str, npt.NDArray[Any]]) -> Weights:
    """The weights of torchvision's MobileNetV2 under the names, axes and conventions of the OD API.

    Names: keras.applications' MobileNetV2, which object_detection/models/keras_models/mobilenet_v2.py wraps.

    Raises:
        KeyError: a weight is missing.
    """
    converted: Weights = {}
    for conv, batch_norm, keras_conv, keras_batch_norm in _layers():
        kernel = torch_weights[f"{conv}.weight"].astype(np.float64)
        bias = np.zeros(kernel.shape[0])
        if keras_conv == "Conv1":
            kernel, bias = fold_normalisation(kernel)
        kind = "depthwise_kernel" if keras_conv.endswith("depthwise") else "kernel"
        converted[f"{keras_conv}/{kind}"] = to_tf_kernel(kernel, depthwise=kind == "depthwise_kernel")
        for name, values in _batch_norm(torch_weights, batch_norm, bias).items():
            converted[f"{keras_batch_norm}/{name}"] = values.astype(np.float32)
    return converted


def fold_normalisation(kernel: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The first kernel, `(O, I, H, W)` for normalised images, as `(O, I, H, W)` and a bias `(O,)` for [-1, 1] images.

    With x in [-1, 1], (((x + 1) / 2) - mean) / std = x * 0.5 / std + (0.5 - mean) / std.
    """
    scale, offset = 0.5 / _STD, (0.5 - _MEAN) / _STD
    return kernel * scale[None, :, None, None], np.einsum("oihw,i->o", kernel, offset)


def to_tf_kernel(kernel: npt.NDArray[np.float64], *, depthwise: bool) -> npt.NDArray[np.float32]:
    """`(O, I, H, W)` -> `(H, W, I, O)`; a depthwise `(C, 1, H, W)` -> `(H, W, C, 1)`."""
    return np.ascontiguousarray(kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)), dtype=np.float32)


def _batch_norm(
    torch_weights: Mapping[str, npt.NDArray[Any]], layer: str, bias: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[np.float64]]:
    """BatchNorm that gives, with TensorFlow's epsilon, what torchvision's gives after the convolution's `bias`."""
    names = ("weight", "bias", "running_mean", "running_var")
    gamma, beta, mean, variance = (torch_weights[f"{layer}.{name}"].astype(np.float64) for name in names)
    return {
        "gamma": gamma * np.sqrt((variance + _TF_EPSILON) / (variance + _TORCH_EPSILON)),
        "beta": beta,
        "moving_mean": mean - bias,
        "moving_variance": variance,
    }


def _layers() -> Iterator[tuple[str, str, str, str]]:
    """Convolution and BatchNorm as torchvision names them, then as Keras does, in the network's order."""
    yield "features.0.0", "features.0.1", "Conv1", "bn_Conv1"
    yield "features.1.conv.0.0", "features.1.conv.0.1", "expanded_conv_depthwise", "expanded_conv_depthwise_BN"
    yield "features.1.conv.1", "features.1.conv.2", "expanded_conv_project", "expanded_conv_project_BN"
    for i in range(1, _RESIDUAL_BLOCKS + 1):
        torch, keras = f"features.{i + 1}.conv", f"block_{i}"
        yield f"{torch}.0.0", f"{torch}.0.1", f"{keras}_expand", f"{keras}_expand_BN"
        yield f"{torch}.1.0", f"{torch}.1.1", f"{keras}_depthwise", f"{keras}_depthwise_BN"
        yield f"{torch}.2", f"{torch}.3", f"{keras}_project", f"{keras}_project_BN"
    yield "features.18.0", "features.18.1", "Conv_1", "Conv_1_bn"
