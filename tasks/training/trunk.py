"""The frozen first layers of a network (the trunk): where they end, their outputs, and the network that starts there.

Frozen layers normalise with stored statistics: the same image gives the same output at every step, so it is computed
only once. The cut is found in the network itself: it goes through every tensor that a frozen layer hands on to one that
learns.
"""

import time
from collections.abc import Callable, Sequence, Set
from typing import Any

import tensorflow as tf

from tasks.detector.architectures.components import BACKBONE, FEATURE_MAPS
from tasks.detector.network import Network, set_learning_phase

Features = tuple[tf.Tensor, ...]


class Trunk:
    """The frozen first layers of a network.

    Attributes:
        name: where they end, in words.
        specs: shape and type of the features of one image.
    """

    def __init__(self, network: Network, name: str, compute: Callable[[tf.Tensor], Features], splice: Any) -> None:
        """Use `trunk_of`."""
        self.name, self._network, self._splice = name, network, splice
        signature = tf.TensorSpec([None, network.height, network.width, 3], tf.float32)
        self._compute = tf.function(
            lambda images: self._traced(compute, images), input_signature=[signature], autograph=False
        )
        outputs = self._compute.get_concrete_function().structured_outputs
        self.specs = tuple(tf.TensorSpec(tensor.shape[1:], tensor.dtype) for tensor in outputs)

    def features(self, images: tf.Tensor) -> Features:
        """The outputs for float32 `(B, height, width, 3)` images in 0..255, each `(B, ...)`."""
        return tuple(self._compute(images))

    def image_seconds(self) -> float:
        """Seconds that computing the outputs for one image takes, in a batch of eight."""
        images = tf.zeros([8, self._network.height, self._network.width, 3])
        self.features(images)[0].numpy()
        start = time.monotonic()
        self.features(images)[0].numpy()
        return (time.monotonic() - start) / 8

    def forward(self, features: Features, shapes: tf.Tensor | None = None, *, training: bool) -> dict[str, tf.Tensor]:
        """Raw predictions as `Network.forward` makes them, from `features`; call it inside a `tf.function`."""
        # Their values are never read, but the anchors are made for their shape.
        count = features[0].shape[0] or tf.shape(features[0])[0]
        images = tf.zeros([count, self._network.height, self._network.width, 3])
        with self._splice(features):
            return self._network.predict(images, shapes, training=training)

    @staticmethod
    def _traced(compute: Callable[[tf.Tensor], Features], images: tf.Tensor) -> Features:
        set_learning_phase(training=False)
        return tuple(tf.cast(tensor, tf.float32) for tensor in compute(images))


def trunk_of(network: Network, frozen: set[str]) -> Trunk | None:
    """The layers of `network` that are frozen from the image on, after `hold_still`; None where there is none."""
    if network.keys_of(BACKBONE, FEATURE_MAPS) <= frozen:
        return _whole_extractor(network)
    backbone = network.architecture.backbone
    if backbone is None:
        return None
    cut = _cut(backbone, {id(network.variables[key]) for key in frozen})
    return _first_layers(network, backbone, cut) if cut else None


def _whole_extractor(network: Network) -> Trunk:
    architecture = network.architecture

    def compute(images: tf.Tensor) -> Features:
        return tuple(architecture.features(architecture.preprocess(images)))

    return Trunk(network, "the feature maps", compute, architecture.with_features)


def _first_layers(network: Network, backbone: tf.keras.Model, cut: Sequence[Any]) -> Trunk:
    architecture = network.architecture
    wanted = [backbone.outputs[index] for index in _used_outputs(network, backbone)]
    candidates = {id(tensor) for tensor in cut}
    later = [tensor for tensor in wanted if id(tensor) not in candidates]
    handed_on = {id(tensor) for tensor in _handed_on(later, candidates)}
    cut = [tensor for tensor in cut if id(tensor) in handed_on or any(tensor is output for output in wanted)]
    places = [place for place, tensor in enumerate(cut) if id(tensor) in handed_on]
    first_layers = tf.keras.Model(backbone.inputs, cut)
    other_layers = tf.keras.Model([cut[place] for place in places], later) if later else None

    def compute(images: tf.Tensor) -> Features:
        return _as_tuple(first_layers(architecture.backbone_input(architecture.preprocess(images))))

    def splice(features: Features) -> Any:
        def backbone_outputs(images: tf.Tensor) -> list[tf.Tensor | None]:
            values = {id(tensor): feature for tensor, feature in zip(cut, features, strict=True)}
            if other_layers:
                computed = _as_tuple(other_layers([features[place] for place in places]))
                values |= {id(tensor): feature for tensor, feature in zip(later, computed, strict=True)}
            return [values.get(id(tensor)) for tensor in backbone.outputs]

        return architecture.with_backbone(backbone_outputs)

    ends = ", ".join(_layer_of(tensor).name for tensor in cut)
    return Trunk(network, f"the backbone's {ends}", compute, splice)


def _cut(backbone: tf.keras.Model, frozen: set[int]) -> list[Any]:
    """The tensors that frozen layers hand on to others, or that are outputs; in the order of the layers."""
    frozen_layers: set[str] = set()
    for layer in backbone.layers:
        parents = _parents(layer)
        if all(id(weight) in frozen for weight in layer.weights) and all(
            parent.name in frozen_layers for parent in parents
        ):
            frozen_layers.add(layer.name)
    outputs = {id(tensor) for tensor in backbone.outputs}
    handed_on = {
        parent.name for layer in backbone.layers if layer.name not in frozen_layers for parent in _parents(layer)
    }
    has_weights = any(layer.weights for layer in backbone.layers if layer.name in frozen_layers)
    return [
        layer.output
        for layer in backbone.layers
        if has_weights and layer.name in frozen_layers and (id(layer.output) in outputs or layer.name in handed_on)
    ]


def _handed_on(outputs: Sequence[Any], cut: Set[int]) -> list[Any]:
    """The tensors of the cut, given by their ids, that `outputs` are computed from."""
    tensors: dict[int, Any] = {}
    layers = [_layer_of(tensor) for tensor in outputs]
    seen: set[str] = set()
    while layers:
        layer = layers.pop()
        if layer.name in seen:
            continue
        seen.add(layer.name)
        for parent in _parents(layer):
            if id(parent.output) in cut:
                tensors[id(parent.output)] = parent.output
            else:
                layers.append(parent)
    return list(tensors.values())


def _used_outputs(network: Network, backbone: tf.keras.Model) -> list[int]:
    """Which of the backbone's outputs the feature extractor uses."""
    architecture = network.architecture
    recorder = _Recorder(len(backbone.outputs))

    def trace(images: tf.Tensor) -> None:
        def recorded_outputs(padded: tf.Tensor) -> _Recorder:
            recorder.tensors = list(_as_tuple(backbone(padded)))
            return recorder

        with architecture.with_backbone(recorded_outputs):
            architecture.features(architecture.preprocess(images))

    tf.function(trace, autograph=False).get_concrete_function(
        tf.TensorSpec([1, network.height, network.width, 3], tf.float32)
    )
    return sorted(recorder.used)


class _Recorder:
    """A list that records which of its entries are used."""

    def __init__(self, length: int) -> None:
        self.tensors: list[Any] = [None] * length
        self.used: set[int] = set()

    def __getitem__(self, index: int) -> Any:
        self.used.add(range(len(self.tensors))[index])
        return self.tensors[index]

    def __len__(self) -> int:
        return len(self.tensors)


def _parents(layer: tf.keras.layers.Layer) -> list[Any]:
    return [inbound[0] for node in layer._inbound_nodes if not node.is_input for inbound in node.iterate_inbound()]


def _layer_of(tensor: Any) -> Any:
    return tensor._keras_history.layer


def _as_tuple(tensors: Any) -> Features:
    return tuple(tensors) if isinstance(tensors, list | tuple) else (tensors,)
