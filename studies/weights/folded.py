"""BatchNorm put back where it was folded into a convolution, so that the layer can be trained.

A folded layer computes the same but cannot be trained: its BatchNorm would take the batch's own mean and deviation, and
of what was learned only the offset would stay. So images are passed through the network, and each BatchNorm gets the
mean and the variance that its input really has, with a scale and an offset that undo them. The function is the same,
and it keeps its distribution in training.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.detector.network import Network
from tasks.detector.patching import patched
from tasks.detector.restore import plain_name
from tasks.errors import CheckpointError

Array = npt.NDArray[np.float32]
Arrays = dict[str, Array]

EPSILON = 1e-3
_BATCH = 8


def identity_batch_norm(offset: Array) -> Arrays:
    """The four arrays of a BatchNorm that adds `offset`, `(C,)`, and does nothing else."""
    scale = np.full_like(offset, np.sqrt(1 + EPSILON))
    zero, one = np.zeros_like(offset), np.ones_like(offset)
    return {"gamma": scale, "beta": offset, "moving_mean": zero, "moving_variance": one}


def fill(network: Network, arrays: Arrays) -> set[str]:
    """Set the variables that `arrays` names, as `<keras layer>/<weight>` or by checkpoint key; their keys.

    Raises:
        CheckpointError: the network has no variable for one of them, or one of another shape.
    """
    keys = {plain_name(variable.name): key for key, variable in network.variables.items()}
    keys |= {key: key for key in network.variables}
    for name, array in arrays.items():
        if name not in keys:
            raise CheckpointError(f"the network has no variable {name}")
        variable = network.variables[keys[name]]
        if tuple(variable.shape) != array.shape:
            raise CheckpointError(f"{name} has the shape {array.shape}, in the network {tuple(variable.shape)}")
        variable.assign(array)
    return {keys[name] for name in arrays}


def measure_batch_norms(network: Network, images: npt.NDArray[np.uint8]) -> None:
    """Give every BatchNorm the mean and variance of its input over `images`; what the network computes is unchanged.

    `images` are `(B, height, width, 3)` of the network's size.
    """
    layers = [each for each in network.model.submodules if hasattr(each, "moving_variance") and each.built]
    for layer, (mean, variance) in zip(layers, _moments(network, layers, images), strict=True):
        scale = layer.gamma.numpy() / np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
        layer.beta.assign_add(scale * (mean - layer.moving_mean.numpy()))
        layer.gamma.assign(scale * np.sqrt(variance + layer.epsilon))
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)


def _moments(network: Network, layers: list[Any], images: npt.NDArray[np.uint8]) -> Iterable[tuple[Any, Any]]:
    """Mean and variance, float64 `(C,)`, of each layer's input."""

    def of_batch(batch: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        seen: dict[int, tuple[tf.Tensor, tf.Tensor]] = {}
        with ExitStack() as patches:
            for number, layer in enumerate(layers):
                patches.enter_context(patched(layer, "call", _recorded(layer.call, seen, number)))
            network.forward(batch, training=False)
        return [seen[number] for number in range(len(layers))]

    traced = tf.function(of_batch, autograph=False)
    sums = [[0.0, 0.0] for _ in layers]
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH].astype(np.float32)
        for total, (mean, variance) in zip(sums, traced(tf.constant(batch)), strict=True):
            mean64 = mean.numpy().astype(np.float64)
            total[0] += mean64 * len(batch)
            total[1] += (variance.numpy() + mean64**2) * len(batch)
    means = [(total[0] / len(images), total[1] / len(images)) for total in sums]
    return [(mean, np.maximum(square - mean**2, 0.0)) for mean, square in means]


def _recorded(call: Any, seen: dict[int, tuple[tf.Tensor, tf.Tensor]], number: int) -> Any:
    def recorded(inputs: tf.Tensor, *args: Any, **options: Any) -> Any:
        seen[number] = tf.nn.moments(inputs, axes=[0, 1, 2])
        return call(inputs, *args, **options)

    return recorded
