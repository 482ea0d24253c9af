"""Freezing that freezes: which variables train, and the proof that the others did not move.

Three things are needed, and the stock TF2 loop does none of them: a frozen variable gets no gradient, its BatchNorm
runs in inference mode (else its moving statistics follow the batches), and both are checked when training has ended.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.detector.network import BACKBONE, FEATURE_MAPS, Network, block_of, part_of
from tasks.errors import ParamsError


def frozen_keys(network: Network, freeze: str | int) -> set[str]:
    """The keys of the variables, moving statistics included, that `train.freeze` holds still.

    Args:
        network: the built model.
        freeze: `none`, a number of backbone blocks counted from the image, `backbone`, or `heads-only` (all but the
            box and class heads and the tower before them).

    Raises:
        ParamsError: the backbone has fewer blocks than are to be frozen.
    """
    if freeze == "none":
        return set()
    parts = {BACKBONE, FEATURE_MAPS} if freeze == "heads-only" else {BACKBONE}
    keys = {key for key in network.variables if part_of(key) in parts}
    if not isinstance(freeze, int):
        return keys
    blocks = {key: block_of(network.variables[key].name) for key in keys}
    if freeze > max(blocks.values()) + 1:
        raise ParamsError(
            f"train.freeze: {freeze} blocks, but this backbone has {max(blocks.values()) + 1}; "
            "`backbone` freezes all of it"
        )
    return {key for key, block in blocks.items() if block < freeze}


def hold_still(network: Network, keys: set[str]) -> None:
    """Put every BatchNorm layer whose variables are frozen into inference mode. Call it before anything is traced.

    `layer.trainable = False` is not enough: the OD API's FreezableBatchNorm is Keras' V1 class, which then still
    normalises with the batch's statistics.
    """
    frozen = {id(network.variables[key]) for key in keys}
    for layer in network.model.submodules:
        if type(layer).__name__ == "FreezableBatchNorm" and layer.built and id(layer.moving_mean) in frozen:
            layer._training = False  # the OD API's own switch; it has no public name


def trainable(network: Network, frozen: set[str]) -> dict[str, Any]:
    """The variables that gradients are taken over, by key."""
    return {key: variable for key, variable in network.variables.items() if variable.trainable and key not in frozen}


def snapshot(network: Network, keys: set[str]) -> dict[str, npt.NDArray[np.float32]]:
    """A copy of the values under `keys`."""
    return {key: network.variables[key].numpy() for key in sorted(keys)}


def max_abs_change(network: Network, before: dict[str, npt.NDArray[np.float32]]) -> float:
    """The largest absolute change of any value since `snapshot`; 0.0 where there is none to look at."""
    return max(
        (float(np.max(np.abs(network.variables[key].numpy() - value), initial=0.0)) for key, value in before.items()),
        default=0.0,
    )
