"""Weights of the names and shapes of torchvision's MobileNetV2, with random values."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
from object_detection.models.keras_models.mobilenet_v2 import mobilenet_v2

from tests.studies.weights.torch_file import Storage, tensor, torch_file

# Blocks of torchvision's MobileNetV2 after its stem: input channels are those of the block before.
_LAYERS = [
    ("features.0.0", "Conv1"),
    ("features.1.conv.0.0", "expanded_conv_depthwise"),
    ("features.1.conv.1", "expanded_conv_project"),
    *(
        (f"features.{i + 1}.conv.{torch}", f"block_{i}_{keras}")
        for i in range(1, 17)
        for torch, keras in (("0.0", "expand"), ("1.0", "depthwise"), ("2", "project"))
    ),
    ("features.18.0", "Conv_1"),
]


def keras_shapes() -> dict[str, list[int]]:
    """Of the OD API's backbone, by `<layer>/<weight>`."""
    network = mobilenet_v2(batchnorm_training=False, include_top=False, weights=None, input_shape=(96, 96, 3))
    return {variable.name.removesuffix(":0"): variable.shape.as_list() for variable in network.variables}


def torchvision_weights() -> dict[str, np.ndarray]:
    """By torchvision's names, in its order."""
    random, shapes, weights = np.random.default_rng(3), keras_shapes(), {}
    for torch, keras in _LAYERS:
        depthwise = keras.endswith("depthwise")
        height, width, inputs, outputs = shapes[f"{keras}/{'depthwise_kernel' if depthwise else 'kernel'}"]
        shape = (inputs, 1, height, width) if depthwise else (outputs, inputs, height, width)
        channels = shape[0]
        head, _, number = torch.rpartition(".")
        batch_norm = f"{head}.{int(number) + 1}"
        weights[f"{torch}.weight"] = random.normal(size=shape).astype(np.float32)
        for name, values in (
            ("weight", random.uniform(0.5, 1.5, channels)),
            ("bias", random.normal(size=channels)),
            ("running_mean", random.normal(size=channels)),
            ("running_var", random.uniform(0.1, 2.0, channels)),
        ):
            weights[f"{batch_norm}.{name}"] = values.astype(np.float32)
        weights[f"{batch_norm}.num_batches_tracked"] = np.array([7], np.int64)
    weights["classifier.1.weight"] = np.zeros((2, 3), np.float32)
    return weights


def torchvision_file(path: Path, weights: dict[str, np.ndarray]) -> Path:
    """Write a state dict as PyTorch does."""
    storages = {
        name: Storage("FloatStorage" if values.dtype == np.float32 else "LongStorage", str(i), values)
        for i, (name, values) in enumerate(weights.items())
    }
    state = OrderedDict(
        (name, tensor(storages[name], values.shape, tuple(stride // values.itemsize for stride in values.strides)))
        for name, values in weights.items()
    )
    return torch_file(path, state, list(storages.values()))
