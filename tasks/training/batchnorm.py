"""BatchNorm layers: which are in inference mode, and how fast the others forget.

The OD API's own layers (`FreezableBatchNorm`) are of Keras' first class and obey a switch of their own; backbones of
EfficientDet and CenterNet have Keras' second class, which obeys `trainable`.
"""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tasks.detector.network import Network

# An hourglass has the second.
_SECOND_CLASS = (tf.keras.layers.BatchNormalization, tf.keras.layers.experimental.SyncBatchNormalization)
_OD_API = ("FreezableBatchNorm", "FreezableSyncBatchNorm")


def hold_still(network: Network, keys: set[str]) -> list[Any]:
    """Put every BatchNorm layer whose variables are frozen into inference mode. Call it before anything is traced.

    Returns these layers, for `let_go`.

    `layer.trainable = False` is not enough for the OD API's: Keras' first class then still normalises with the batch's
    statistics.
    """
    frozen = {id(network.variables[key]) for key in keys}
    held = [
        layer
        for layer in _batchnorm_layers(network)
        # Where a pipeline.config has freeze_batchnorm, they are in inference mode whatever is frozen.
        if _is_learning(layer) and id(layer.moving_mean) in frozen
    ]
    for layer in held:
        _switch(layer, is_learning=False)
    return held


def let_go(held: Iterable[Any]) -> None:
    """Undo `hold_still` on the layers that it returned; what is traced from then on computes with batch statistics."""
    for layer in held:
        _switch(layer, is_learning=True)


def set_decay(network: Network, decay: float) -> None:
    """Give the layers that a pipeline.config has no decay for that of params.yaml, `train.batchnorm_decay`."""
    for layer in _batchnorm_layers(network):
        if type(layer).__name__ not in _OD_API or not network.architecture.has_batchnorm_decay:
            layer.momentum = decay


def _batchnorm_layers(network: Network) -> list[Any]:
    return [
        layer
        for layer in network.model.submodules
        if (type(layer).__name__ in _OD_API or isinstance(layer, _SECOND_CLASS)) and layer.built
    ]


# `_training` is the OD API's own switch; it has no public name.
def _is_learning(layer: Any) -> bool:
    if type(layer).__name__ in _OD_API:
        return layer._training is not False
    return bool(layer.trainable)


def _switch(layer: Any, *, is_learning: bool) -> None:
    if type(layer).__name__ in _OD_API:
        layer._training = is_learning
    else:
        layer.trainable = is_learning
