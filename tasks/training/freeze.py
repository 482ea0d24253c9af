"""Freezing that freezes: which variables train, and the proof that the others did not move.

Three things are needed, and the stock TF2 loop does none of them: a frozen variable gets no gradient, its BatchNorm
runs in inference mode (else its moving statistics follow the batches), and both are checked when training has ended.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tasks.artifacts.training import ModuleAudit
from tasks.detector.network import BACKBONE, COMPONENTS, FEATURE_MAPS, Network, block_of, component_of, readable_name
from tasks.errors import ConfigError, ParamsError

_NAMES_SHOWN = 5
# What `auto` freezes: of a MobileNet's 14 or 18 blocks as many as studies/recipes compared, of a shorter backbone half.
_AUTO_BLOCKS = 8


def auto_freeze(network: Network, restored: Set[str]) -> int | Literal["none"]:
    """What `train.freeze: auto` means for a network.

    Args:
        network: the built model.
        restored: the keys of the variables that a checkpoint filled.

    Returns:
        8 blocks, or of a backbone that has no more than 8 half of them, rounded up; `none` where one of their variables
        was not restored, or the backbone is in no known blocks.
    """
    try:
        blocks = _blocks(network)
    except ConfigError:
        return "none"
    count = max(blocks.values()) + 1
    most = _AUTO_BLOCKS if count > _AUTO_BLOCKS else (count + 1) // 2
    return most if {key for key, block in blocks.items() if block < most} <= restored else "none"


def frozen_keys(network: Network, freeze: str | int | Sequence[str]) -> set[str]:
    """The keys of the variables, moving statistics included, that `train.freeze` holds still.

    Args:
        network: the built model.
        freeze: `none`, a number of backbone blocks counted from the image, `backbone`, `heads-only` (all but the
            box and class heads and the tower before them), or regular expressions, of which one must be found in the
            variable's `readable_name`.

    Raises:
        ParamsError: the backbone has fewer blocks than are to be frozen, or an expression is found in no name.
    """
    if freeze == "none":
        return set()
    if not isinstance(freeze, str | int):
        return set().union(*(_matching(network, pattern) for pattern in freeze))
    parts = {BACKBONE, FEATURE_MAPS} if freeze == "heads-only" else {BACKBONE}
    keys = {key for key in network.variables if component_of(key) in parts}
    if not isinstance(freeze, int):
        return keys
    blocks = _blocks(network)
    if freeze > max(blocks.values()) + 1:
        raise ParamsError(
            f"train.freeze: {freeze} blocks, but this backbone has {max(blocks.values()) + 1}; "
            "`backbone` freezes all of it"
        )
    return {key for key, block in blocks.items() if block < freeze}


def _blocks(network: Network) -> dict[str, int]:
    """The block of every variable of the backbone."""
    return {key: block_of(each.name) for key, each in network.variables.items() if component_of(key) == BACKBONE}


def _matching(network: Network, pattern: str) -> set[str]:
    names = {key: readable_name(key, variable) for key, variable in network.variables.items()}
    keys = {key for key, name in names.items() if re.search(pattern, name)}
    if not keys:
        step = max(1, len(names) // _NAMES_SHOWN)
        shown = ", ".join(sorted(names.values())[::step][:_NAMES_SHOWN])
        raise ParamsError(f"train.freeze: {pattern!r} is in the name of no variable; names are like {shown}")
    return keys


def moving(network: Network, frozen: Set[str]) -> list[Any]:
    """The variables that training changes: those that gradients are taken over, and their moving statistics."""
    return [variable for key, variable in network.variables.items() if key not in frozen]


def hold_still(network: Network, keys: set[str]) -> None:
    """Put every BatchNorm layer whose variables are frozen into inference mode. Call it before anything is traced.

    `layer.trainable = False` is not enough: the OD API's FreezableBatchNorm is Keras' V1 class, which then still
    normalises with the batch's statistics.
    """
    frozen = {id(network.variables[key]) for key in keys}
    for layer in network.model.submodules:
        if (
            type(layer).__name__ in ("FreezableBatchNorm", "FreezableSyncBatchNorm")
            and layer.built
            and id(layer.moving_mean) in frozen
        ):
            layer._training = False  # the OD API's own switch; it has no public name


def trainable(network: Network, frozen: set[str]) -> dict[str, Any]:
    """The variables that gradients are taken over, by key."""
    return {key: variable for key, variable in network.variables.items() if variable.trainable and key not in frozen}


def snapshot(network: Network, keys: Iterable[str]) -> dict[str, npt.NDArray[np.float32]]:
    """A copy of the values under `keys`."""
    return {key: network.variables[key].numpy() for key in sorted(keys)}


def max_abs_change(network: Network, before: Mapping[str, npt.NDArray[np.float32]]) -> float:
    """The largest absolute change of any value since `snapshot`; 0.0 where there is none to look at."""
    return _largest(_change(network, key, value) for key, value in before.items())


def audit(network: Network, frozen: Set[str], before: Mapping[str, npt.NDArray[np.float32]]) -> list[ModuleAudit]:
    """A row for each module, from the image to the heads; `before` is a `snapshot` of every variable."""
    modules: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for key, variable in network.variables.items():
        part = component_of(key)
        modules[(COMPONENTS.index(part), block_of(variable.name) if part == BACKBONE else 0)].append(key)
    return [_audit(network, _module_name(place), modules[place], frozen, before) for place in sorted(modules)]


def _audit(
    network: Network, module: str, keys: Sequence[str], frozen: Set[str], before: Mapping[str, npt.NDArray[np.float32]]
) -> ModuleAudit:
    still = [key for key in keys if key in frozen]
    learned = [key for key in keys if key not in frozen and network.variables[key].trainable]
    changes = {key: _change(network, key, before[key]) for key in (*still, *learned)}
    return ModuleAudit(
        module=module,
        parameters=sum(before[key].size for key in keys),
        frozen_parameters=sum(before[key].size for key in still),
        trained=len(learned),
        frozen=len(still),
        unchanged=sum(changes[key] == 0 for key in learned),
        trained_max_abs_change=_largest(changes[key] for key in learned),
        frozen_max_abs_change=_largest(changes[key] for key in still if network.variables[key].trainable),
        frozen_statistics_max_abs_change=_largest(
            changes[key] for key in still if not network.variables[key].trainable
        ),
    )


def _module_name(place: tuple[int, int]) -> str:
    part = COMPONENTS[place[0]]
    return f"{part} block {place[1]}" if part == BACKBONE else part


def _change(network: Network, key: str, before: npt.NDArray[np.float32]) -> float:
    return float(np.max(np.abs(network.variables[key].numpy() - before), initial=0.0))


def _largest(changes: Iterable[float]) -> float:
    """0.0 of none; NaN where one of them is, which `max` may lose."""
    return float(np.max(list(changes), initial=0.0))
