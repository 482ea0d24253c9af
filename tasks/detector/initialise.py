"""First values for layers that no checkpoint filled.

The zoo's initializer (normal, stddev 0.01) suits 50,000 steps at batch 128. Behind it, BatchNorm's variance starts far
below its epsilon and logits near 1e-6, and a few hundred steps end before such layers are alive. Here the output of
every layer has about the variance of its input.
"""

import zlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD
from tasks.detector.network import Network


def initialise(network: Network, keys: Iterable[str], seed: int) -> None:
    """Set the variables under `keys`; each value depends on `seed` and its key alone, not on order."""
    for key in keys:
        variable = network.variables[key]
        rng = np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(key.encode())])
        component = network.component_of(key)
        bias = network.architecture.class_bias if component == CLASS_HEAD else 0.0
        value = _value(component, key.rsplit("/", 1)[-1], tuple(variable.shape), rng, bias)
        if value is not None:
            variable.assign(value.astype(np.float32))


def _value(
    component: str, name: str, shape: tuple[int, ...], rng: np.random.Generator, bias: float
) -> npt.NDArray[np.float64] | None:
    """The first value of one variable, or None to keep Keras' own (BatchNorm's scale, offset and statistics)."""
    if name == "depthwise_kernel":
        return _depthwise(shape, rng, from_nothing=component == BACKBONE)
    if name in ("kernel", "pointwise_kernel"):
        if component in (BOX_HEAD, CLASS_HEAD):
            return rng.normal(0.0, 0.01, shape)
        fan_in = float(np.prod(shape[:-1]))
        # He et al. 2015 for a backbone of ReLUs that no checkpoint filled; 1 for FPN and towers, which are less deep.
        return rng.normal(0.0, np.sqrt((2.0 if component == BACKBONE else 1.0) / fan_in), shape)
    if name == "bias":
        return np.full(shape, bias)
    return None


def _depthwise(shape: tuple[int, ...], rng: np.random.Generator, *, from_nothing: bool) -> npt.NDArray[np.float64]:
    """`(H, W, C, M)`: a blurred identity, so that the layer hands its input on; noise for a backbone from nothing."""
    if from_nothing:
        return rng.normal(0.0, np.sqrt(2.0 / (shape[0] * shape[1])), shape)
    value = rng.normal(0.0, 0.1, shape)
    value[shape[0] // 2, shape[1] // 2] += 0.5
    return value
