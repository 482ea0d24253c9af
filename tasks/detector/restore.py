"""Weights from models/base into a network, and the summary of what was restored."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from tasks.artifacts.base import (
    LABEL_MAP,
    SAVED_MODEL,
    BaseDescription,
    checkpoint_prefix,
    read_arrays,
    read_base_description,
)
from tasks.artifacts.training import RestoredComponent, RestoreSummary
from tasks.detector.architectures.components import BACKBONE, CLASS_HEAD, COMPONENTS
from tasks.detector.class_rows import ClassHead, has_rows
from tasks.detector.network import Network
from tasks.errors import CheckpointError
from tasks.model.class_names import known_classes
from tasks.model.label_map import read_label_map

# TensorFlow's reader raises the last two for a file that ends too early.
_UNREADABLE = (tf.errors.OpError, ValueError, IndexError)
_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
# The OD API's feature extractor puts its own name before those of its layers, from the second in a process on with a
# number.
_BUILT = re.compile(
    r"^(ssd_\w+_feature_extractor(_\d+)?|mask_rcnn_keras_box_predictor(_\d+)?/mask_rcnn_(box|class)_head(_\d+)?)/"
)
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
# The key of an optimizer's slot variable begins with that of its variable.
_SLOT = "/.OPTIMIZER_SLOT/"


@dataclass(frozen=True)
class _Weights:
    """The arrays of a base: their names (checkpoint keys, or as `plain_name` gives them), and the value of each."""

    names: frozenset[str]
    value: Callable[[str], npt.NDArray[Any]]


@dataclass
class RestoreResult:
    """Which variables of a network the base filled, and why not the others.

    Attributes:
        network: which was filled.
        source: what the weights are, in words.
        keys: the variables that the base filled.
        new: the variables that are missing in the base.
        mismatched: key -> why the value in the base was not used.
        left_over: names of a model's variables in the base that this network does not have.
        kept_classes, new_classes: as in `RestoreSummary`.
    """

    network: Network
    source: str
    keys: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    mismatched: dict[str, str] = field(default_factory=dict)
    left_over: set[str] = field(default_factory=set)
    kept_classes: dict[str, str] = field(default_factory=dict)
    new_classes: list[str] = field(default_factory=list)

    @property
    def knows_classes(self) -> bool:
        """Whether a class starts from the base's rows of it in the class head."""
        return bool(self.kept_classes) or bool(self.keys & self.network.keys_of(CLASS_HEAD))

    def add_filled(self, key: str, head: ClassHead) -> None:
        """Note that the base filled a variable, or, in the class head, those rows of it that `head` keeps."""
        if self.network.component_of(key) == CLASS_HEAD and head.has_other_rows:
            self.kept_classes, self.new_classes = dict(head.kept), head.new
            if head.new and has_rows(key):
                self.mismatched[key] = f"rows of {len(head.kept)} of {len(head.classes)} classes kept"
                return
        self.keys.add(key)

    def summary(self) -> RestoreSummary:
        """A row for each component, the values that did not fit, and those that the network has no variable for."""
        return RestoreSummary(
            source=self.source,
            modules=[self._component(name) for name in COMPONENTS],
            mismatched=[f"{key}: {why}" for key, why in sorted(self.mismatched.items())],
            left_over=sorted(self.left_over),
            kept_classes=self.kept_classes,
            new_classes=self.new_classes,
        )

    def _component(self, name: str) -> RestoredComponent:
        restored, new, mismatched = (
            sum(self.network.component_of(key) == name for key in keys)
            for keys in (self.keys, self.new, self.mismatched)
        )
        return RestoredComponent(
            module=name,
            variables=restored + new + mismatched,
            restored=restored,
            new=new,
            mismatched=mismatched,
        )


def restore(network: Network, base: Path, classes: tuple[str, ...]) -> RestoreResult:
    """Fill the network's variables from the folder `base`; variables that are missing there keep their values.

    The class head is restored row by row, those of the `classes` that the base knows by name: rows of another class
    would start as confident wrong answers. A variable of which some rows keep their values counts as mismatched.

    Raises:
        CheckpointError: the base is damaged (a checkpoint has a checksum for each value), or it fills nothing of the
            backbone, a checkpoint less than all of it, or a value is not a finite number.
    """
    description = read_base_description(base)
    result = RestoreResult(network, _source_in_words(description))
    weights = _weights(base, description)
    used: set[str] = set()
    head = _class_head(network, base, classes, description.class_names)
    for key, variable in network.variables.items():
        name = key if key in weights.names else plain_name(variable.name)
        if name not in weights.names:
            result.new.add(key)
            continue
        used.add(name)
        value, shape = weights.value(name), tuple(variable.shape)
        of_boxes = network.architecture.has_boxes_by_class(key)
        in_head = network.component_of(key) == CLASS_HEAD
        merged = head.merge(key, variable.numpy(), value, of_boxes=of_boxes) if in_head else value
        if merged is None and not head.kept:
            result.mismatched[key] = "trained for other classes"
        elif merged is None or merged.shape != shape:
            result.mismatched[key] = f"{value.shape} in the base, {shape} in the model"
        else:
            if not np.isfinite(merged).all():
                raise CheckpointError(
                    f"{base}: {name} of {result.source} has values that are not finite numbers: the training that "
                    "made them failed; take other weights (checkpoint.source)"
                )
            variable.assign(merged)
            result.add_filled(key, head)
    result.left_over.update(name for name in weights.names - used if not network.architecture.is_unused(name))
    _refuse_weights_of_another_model(base, description, result)
    return result


def _refuse_weights_of_another_model(base: Path, description: BaseDescription, result: RestoreResult) -> None:
    backbone = result.network.keys_of(BACKBONE)
    filled = len(result.keys & backbone)
    # A checkpoint's keys are numbers of layers: some of another model's fit by accident, and are of other layers.
    enough = len(backbone) if description.kind == "tf_checkpoint" else 1
    if description.kind != "none" and filled < enough:
        much = f"only {filled} of {len(backbone)} variables" if filled else "nothing"
        raise CheckpointError(
            f"{base}: {much} of the backbone restored from {result.source}: these weights are for another model; set "
            "checkpoint.source to weights of model.name, or to none to train from nothing"
        )


def _class_head(network: Network, base: Path, classes: tuple[str, ...], names: Mapping[str, str]) -> ClassHead:
    known = read_label_map(base / LABEL_MAP) if (base / LABEL_MAP).exists() else ()
    return ClassHead(classes, known, known_classes(classes, known, names), network.architecture.has_background_class)


def plain_name(name: str) -> str:
    """A Keras variable's name as every build of a model gives it: `<layer>/<weight>`."""
    return _BUILT.sub("", name.removesuffix(":0"), count=1)


def _source_in_words(description: BaseDescription) -> str:
    origin = f"{description.source}: {description.origin}"
    return f"{origin} ({description.fallback})" if description.fallback else origin


def checkpoint_values(prefix: Path) -> dict[str, npt.NDArray[Any]]:
    """Every value of a TensorFlow checkpoint's model, by key.

    Raises:
        CheckpointError: it cannot be read.
    """
    weights = _checkpoint(prefix)
    return {key: weights.value(key) for key in sorted(weights.names)}


def _weights(base: Path, description: BaseDescription) -> _Weights:
    if description.kind == "none":
        return _arrays({})
    if description.kind == "weights":
        return _arrays({plain_name(name): array for name, array in read_arrays(base).items()})
    if description.kind == "saved_model":
        return _saved_model(base / SAVED_MODEL)
    return _checkpoint(checkpoint_prefix(base))


def _arrays(arrays: dict[str, npt.NDArray[Any]]) -> _Weights:
    return _Weights(frozenset(arrays), arrays.__getitem__)


def _checkpoint(prefix: Path) -> _Weights:
    reader = _open_reader(prefix)
    keys = (key.removesuffix(_SUFFIX) for key in reader.get_variable_to_shape_map() if key.endswith(_SUFFIX))
    names = frozenset(key for key in keys if key.startswith("model/") and _SLOT not in key)

    return _Weights(names, lambda name: _read_tensor(reader, name + _SUFFIX, prefix))


def _saved_model(prefix: Path) -> _Weights:
    """The variables of a SavedModel by their own names, which its object graph holds.

    Its keys are paths in the exported object (`_model/_feature_extractor/variables/102`), which differ from exporter to
    exporter.
    """
    reader = _open_reader(prefix)
    shapes = reader.get_variable_to_shape_map()
    graph = TrackableObjectGraph()
    try:
        graph.ParseFromString(_read_tensor(reader, _GRAPH, prefix) if _GRAPH in shapes else b"")
    except (DecodeError, TypeError) as error:
        raise CheckpointError(f"{prefix}.index: damaged, its object graph cannot be read ({error})") from error
    keys: dict[str, set[str]] = {}
    for value in (value for node in graph.nodes for value in node.attributes):
        if value.full_name and value.checkpoint_key in shapes:
            keys.setdefault(plain_name(value.full_name), set()).add(value.checkpoint_key)
    if not keys:
        raise CheckpointError(
            f"{prefix}.index: no TensorFlow 2 SavedModel with variables; a frozen one (of TensorFlow Lite, or a graph "
            "of TensorFlow 1) cannot be trained on"
        )

    def value_of(name: str) -> npt.NDArray[Any]:
        if len(keys[name]) > 1:
            raise CheckpointError(
                f"{prefix}.index: {len(keys[name])} variables are named {name}, so that the right one is not known; "
                "start from the model's checkpoint instead"
            )
        (key,) = keys[name]
        return _read_tensor(reader, key, prefix)

    return _Weights(frozenset(keys), value_of)


def _read_tensor(reader: Any, key: str, prefix: Path) -> Any:
    try:
        return reader.get_tensor(key)
    except _UNREADABLE as error:
        raise CheckpointError(
            f"{prefix}: damaged, {key.removesuffix(_SUFFIX)} cannot be read ({error}); get the weights again"
        ) from error


def _open_reader(prefix: Path) -> Any:
    try:
        return tf.train.load_checkpoint(str(prefix))
    except _UNREADABLE as error:
        raise CheckpointError(f"{prefix}.index: not a readable TensorFlow checkpoint: {error}") from error
