"""Which variables train, which are frozen, and the proof that the frozen ones did not change.

Freezing needs three things, of which the stock TF2 loop does none: a frozen variable gets no gradient, its BatchNorm
runs in inference mode (else its moving statistics follow the batches), and both are checked when training has ended.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.artifacts.training import ModuleAudit
from tasks.detector.architectures.components import BACKBONE, COMPONENTS, FEATURE_MAPS
from tasks.detector.blocks import block_of
from tasks.detector.network import Network
from tasks.errors import ConfigError, ParamsError, TrainingError

_NAMES_SHOWN = 5
# What `auto` freezes: of a MobileNet's 14 or 18 blocks as many as studies/recipes compared, of a shorter backbone half.
_AUTO_BLOCKS = 8


def auto_freeze(network: Network, restored: Set[str]) -> int | Literal["none"]:
    """The value of `train.freeze` that `auto` stands for.

    Args:
        network: the built model.
        restored: the keys of the variables that a checkpoint filled.

    Returns:
        8 blocks, or half of the blocks (rounded up) of a backbone that has no more than 8; `none` where one of their
        variables was not restored, or the backbone's blocks are not known.
    """
    try:
        blocks = network.blocks()
    except ConfigError:
        return "none"
    count = max(blocks.values()) + 1
    frozen = _AUTO_BLOCKS if count > _AUTO_BLOCKS else (count + 1) // 2
    return frozen if {key for key, block in blocks.items() if block < frozen} <= restored else "none"


def frozen_keys(network: Network, freeze: str | int | Sequence[str], param: str = "train.freeze") -> set[str]:
    """The keys of the variables, moving statistics included, that `train.freeze` freezes.

    Args:
        network: the built model.
        freeze: `none`, a number of backbone blocks counted from the image, `backbone`, `heads-only` (all but the
            box and class heads and the tower before them), or regular expressions, of which one must match a part of
            the variable's `readable_name`.
        param: where params.yaml has it, for messages.

    Raises:
        ParamsError: the backbone has fewer blocks than are to be frozen, or an expression matches no name.
    """
    if freeze == "none":
        return set()
    if not isinstance(freeze, str | int):
        return set().union(*(_matching_keys(network, pattern, param) for pattern in freeze))
    keys = network.keys_of(BACKBONE, FEATURE_MAPS) if freeze == "heads-only" else network.keys_of(BACKBONE)
    if not isinstance(freeze, int):
        return keys
    blocks = network.blocks()
    if freeze > max(blocks.values()) + 1:
        raise ParamsError(
            f"{param}: {freeze} blocks, but this backbone has {max(blocks.values()) + 1}; "
            "`backbone` freezes all of them"
        )
    return {key for key, block in blocks.items() if block < freeze}


def _matching_keys(network: Network, pattern: str, param: str) -> set[str]:
    names = {key: network.readable_name(key) for key in network.variables}
    keys = {key for key, name in names.items() if re.search(pattern, name)}
    if not keys:
        step = max(1, len(names) // _NAMES_SHOWN)
        examples = ", ".join(sorted(names.values())[::step][:_NAMES_SHOWN])
        raise ParamsError(f"{param}: {pattern!r} matches the name of no variable; names are like {examples}")
    return keys


def unfrozen_variables(network: Network, frozen: Set[str]) -> list[tf.Variable]:
    """The variables that training changes: those that gradients are taken over, and the moving statistics."""
    return [variable for key, variable in network.variables.items() if key not in frozen]


def trainable(network: Network, frozen: set[str]) -> dict[str, tf.Variable]:
    """The variables that gradients are taken over, by key."""
    return {key: variable for key, variable in network.variables.items() if variable.trainable and key not in frozen}


def snapshot(network: Network, keys: Iterable[str]) -> dict[str, npt.NDArray[np.float32]]:
    """A copy of the values under `keys`."""
    return {key: network.variables[key].numpy() for key in sorted(keys)}


def max_abs_change(network: Network, before: Mapping[str, npt.NDArray[np.float32]]) -> float:
    """The largest absolute change of any value since `before`, a `snapshot`; 0.0 for an empty one."""
    return _largest(_change(network, key, value) for key, value in before.items())


def audit(network: Network, frozen: Set[str], before: Mapping[str, npt.NDArray[np.float32]]) -> list[ModuleAudit]:
    """A row for each module, from the image to the heads; `before` is a `snapshot` of every variable."""
    modules: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for key, variable in network.variables.items():
        component = network.component_of(key)
        block = block_of(variable.name) if component == BACKBONE else 0
        modules[(COMPONENTS.index(component), block)].append(key)
    return [_module_audit(network, _module_name(*place), modules[place], frozen, before) for place in sorted(modules)]


def refuse_moved(modules: Iterable[ModuleAudit], asked: str) -> None:
    """Refuse a network in which a frozen variable changed; `asked` names the param and its value.

    Raises:
        TrainingError: it did, or is not a number any more.
    """
    # Not `> 0`: NaN must not pass.
    moved = [row for row in modules if not row.frozen_max_abs_change == row.frozen_statistics_max_abs_change == 0]
    if moved:
        changes = ", ".join(
            f"{row.module} (weights by {row.frozen_max_abs_change:g}, moving statistics by "
            f"{row.frozen_statistics_max_abs_change:g})"
            for row in moved
        )
        raise TrainingError(
            f"{asked}: frozen variables moved: {changes}. The result is not what was asked for and is "
            "not kept; this is a bug in the pipeline"
        )


def _module_audit(
    network: Network, module: str, keys: Sequence[str], frozen: Set[str], before: Mapping[str, npt.NDArray[np.float32]]
) -> ModuleAudit:
    held = [key for key in keys if key in frozen]
    trained = [key for key in keys if key not in frozen and network.variables[key].trainable]
    changes = {key: _change(network, key, before[key]) for key in (*held, *trained)}
    return ModuleAudit(
        module=module,
        parameters=sum(before[key].size for key in keys),
        frozen_parameters=sum(before[key].size for key in held),
        trained=len(trained),
        frozen=len(held),
        unchanged=sum(changes[key] == 0 for key in trained),
        trained_max_abs_change=_largest(changes[key] for key in trained),
        frozen_max_abs_change=_largest(changes[key] for key in held if network.variables[key].trainable),
        frozen_statistics_max_abs_change=_largest(changes[key] for key in held if not network.variables[key].trainable),
    )


def _module_name(place: int, block: int) -> str:
    component = COMPONENTS[place]
    return f"{component} block {block}" if component == BACKBONE else component


def _change(network: Network, key: str, before: npt.NDArray[np.float32]) -> float:
    return float(np.max(np.abs(network.variables[key].numpy() - before), initial=0.0))


def _largest(changes: Iterable[float]) -> float:
    """0.0 of none; NaN where one of them is, which `max` may lose."""
    return float(np.max(list(changes), initial=0.0))
