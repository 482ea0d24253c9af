"""Weights from models/base into a network, and the account of what was restored."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.detector.network import BACKBONE, CLASS_HEAD, PARTS, Network, part_of
from tasks.errors import CheckpointError
from tasks.formats.label_map import read_label_map

_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"

# (key, variable name) -> the value the base has for it, or None.
Lookup = Callable[[str, str], npt.NDArray[Any] | None]


@dataclass
class Restored:
    """What became of every variable.

    Attributes:
        source: what the weights were, in words.
        keys: those that the base filled.
        new: those that the base has nothing for.
        mismatched: key -> why the value in the base was not used.
    """

    source: str
    keys: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    mismatched: dict[str, str] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The account as the report shows it: a row a part, and what did not fit."""
        rows = []
        for part in PARTS:
            restored, new, mismatched = (
                sum(part_of(key) == part for key in keys) for keys in (self.keys, self.new, self.mismatched)
            )
            rows.append(
                {
                    "module": part,
                    "variables": restored + new + mismatched,
                    "restored": restored,
                    "new": new,
                    "mismatched": mismatched,
                }
            )
        return {
            "source": self.source,
            "modules": rows,
            "mismatched": [f"{key}: {why}" for key, why in sorted(self.mismatched.items())],
        }


def restore(network: Network, base: Path, classes: tuple[str, ...]) -> Restored:
    """Fill the network's variables from `base`, as the `checkpoint` stage left it; those it lacks keep their values.

    The class head is restored only from a base trained on exactly these `classes`: rows of another label map would
    start as confident wrong answers.

    Raises:
        CheckpointError: the base is damaged, or it fills nothing of the backbone.
    """
    card = json.loads((base / "base.json").read_text(encoding="utf-8"))
    result = Restored(_told(card))
    lookup = _lookup(base, card["kind"])
    same_classes = (base / "label_map.pbtxt").exists() and read_label_map(base / "label_map.pbtxt") == classes
    for key, variable in network.variables.items():
        value = lookup(key, variable.name.removesuffix(":0"))
        if value is None:
            result.new.add(key)
        elif part_of(key) == CLASS_HEAD and not same_classes:
            result.mismatched[key] = "trained for other classes"
        elif value.shape != tuple(variable.shape):
            result.mismatched[key] = f"{value.shape} in the base, {tuple(variable.shape)} in the model"
        else:
            variable.assign(value)
            result.keys.add(key)
    if card["kind"] != "none" and not any(part_of(key) == BACKBONE for key in result.keys):
        raise CheckpointError(
            f"{base}: nothing of the backbone was restored from {result.source}: these weights are for another model; "
            "set checkpoint.source to weights of model.name, or to none to train from nothing"
        )
    return result


def _told(card: dict[str, Any]) -> str:
    origin = f"{card['source']}: {card['origin']}" if card.get("origin") else str(card["source"])
    return f"{origin} ({card['fallback']})" if card.get("fallback") else origin


def checkpoint_values(prefix: Path) -> dict[str, npt.NDArray[Any]]:
    """Every value of a TensorFlow checkpoint's model, by key.

    Raises:
        CheckpointError: it cannot be read.
    """
    reader = _opened(prefix)
    keys = [key.removesuffix(_SUFFIX) for key in reader.get_variable_to_shape_map() if key.endswith(_SUFFIX)]
    return {key: reader.get_tensor(key + _SUFFIX) for key in sorted(keys) if key.startswith("model/")}


def _lookup(base: Path, kind: str) -> Lookup:
    if kind == "none":
        return lambda key, name: None
    if kind == "weights":
        with np.load(base / "weights.npz", allow_pickle=False) as archive:
            weights = {name: archive[name] for name in archive.files}
        return lambda key, name: weights.get(key, weights.get(name))
    found = sorted(base.glob("checkpoint/ckpt-*.index"))
    if not found:
        raise CheckpointError(f"{base}/checkpoint: no ckpt-*.index there; run `dvc repro -f checkpoint`")
    reader = _opened(found[-1].with_suffix(""))
    return lambda key, name: reader.get_tensor(key + _SUFFIX) if reader.has_tensor(key + _SUFFIX) else None


def _opened(prefix: Path) -> Any:
    try:
        return tf.train.load_checkpoint(str(prefix))
    except (tf.errors.OpError, ValueError) as error:
        raise CheckpointError(f"{prefix}.index: not a readable TensorFlow checkpoint: {error}") from error
