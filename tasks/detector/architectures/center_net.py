"""CenterNet: `CenterNetMetaArch` for boxes.

Its extractors hold one Keras model from the image to the features of stride 4, of which the backbone is a layer; the
layers behind it upsample. An hourglass is all backbone, and can be divided nowhere. Of each head the last layer is the
head here, and those before it are its tower: so all but the rows of classes fits every label map.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import tensorflow as tf
from object_detection.meta_architectures import center_net_meta_arch
from object_detection.models.center_net_mobilenet_v2_fpn_feature_extractor import mobilenetv2

from tasks.detector.architectures.architecture import Architecture, Losses, Predictions
from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, FEATURE_MAPS, TOWER
from tasks.detector.patching import patched
from tasks.model.onnx_file import OUTPUTS

_CENTRES = center_net_meta_arch.OBJECT_CENTER
_EXTRACTOR_MODEL = "_feature_extractor_model"
_HOURGLASS = "/_feature_extractor/_network/"
_BACKBONE_LAYER = re.compile(r"/_base_model/layer_with_weights-(\d+)/")
# Of a cell without a photo: its score is 0 in float32.
_NO_LOGIT = -1000.0
_HEAD_LAYER = re.compile(r"/_prediction_head_dict/(.+?)/\d+/layer_with_weights-(\d+)/")


class CenterNet(Architecture):
    """See `Architecture`."""

    has_background_class = False
    # An object's centre is as rare as 0.1 (Law & Deng 2018, arXiv:1808.01244, section 4.1); the OD API's default, too.
    class_bias = -2.19
    # Its extractors build these layers themselves, for runs of many thousand steps.
    has_batchnorm_decay = False

    def __init__(self, model: Any) -> None:
        """See `Architecture`."""
        super().__init__(model)
        self._last_layers = {
            name: _layers_with_weights(heads[-1]) - 1 for name, heads in model.prediction_head_dict.items()
        }
        self._backbone: tf.keras.Model | None = None
        self._unused_layers: set[int] = set()
        whole = getattr(self._extractor, _EXTRACTOR_MODEL, None)
        if whole is not None:
            (self._backbone,) = (layer for layer in whole.layers if isinstance(layer, tf.keras.Model))
            handed_on = tf.nest.flatten(self._backbone.get_output_at(-1))
            self._upsampling = tf.keras.Model(handed_on, whole.outputs)
            layers = [layer for layer in self._extractor.classification_backbone.layers if layer.weights]
            used = {id(layer) for layer in self._backbone.layers}
            self._unused_layers = {number for number, layer in enumerate(layers) if id(layer) not in used}

    @staticmethod
    @contextmanager
    def building() -> Iterator[None]:
        """See `Architecture.building`: nothing is downloaded, and layers that Keras numbers have the same names.

        The extractors' own BatchNorm layers would be of Keras' first class, which no switch puts into inference mode.
        """
        tf.keras.backend.reset_uids()
        with (
            patched(mobilenetv2, "mobilenet_v2", _without_weights(mobilenetv2.mobilenet_v2)),
            patched(tf.compat.v1.keras.layers, "BatchNormalization", tf.keras.layers.BatchNormalization),
        ):
            yield

    def component_of(self, key: str) -> str:
        """See `Architecture.component_of`."""
        if "/_base_model/" in key or _HOURGLASS in key:
            return BACKBONE
        layer = _HEAD_LAYER.search(key)
        if layer is None:
            return FEATURE_MAPS
        name, number = layer[1].replace(".S", "/"), int(layer[2])
        if number < self._last_layers[name]:
            return TOWER
        return CLASS_HEAD if name == _CENTRES else BOX_HEAD

    def is_unused(self, key: str) -> bool:
        """See `Architecture.is_unused`: the backbone's layers behind the last output that the extractor takes."""
        layer = _BACKBONE_LAYER.search(key)
        return layer is not None and int(layer[1]) in self._unused_layers

    @property
    def backbone(self) -> tf.keras.Model | None:
        """See `Architecture.backbone`."""
        return self._backbone

    def preprocess(self, images: tf.Tensor) -> tf.Tensor:
        """See `Architecture.preprocess`."""
        return self._extractor.preprocess(images)

    def backbone_input(self, preprocessed: tf.Tensor) -> tf.Tensor:
        """See `Architecture.backbone_input`."""
        return preprocessed

    def with_backbone(self, outputs: Callable[[tf.Tensor], Any]) -> AbstractContextManager[None]:
        """See `Architecture.with_backbone`."""

        def upsampled(images: tf.Tensor) -> tf.Tensor:
            found = outputs(images)
            return self._upsampling([found[i] for i in range(len(found))])

        return patched(self._extractor, _EXTRACTOR_MODEL, upsampled)

    def features(self, preprocessed: tf.Tensor) -> Sequence[tf.Tensor]:
        """See `Architecture.features`."""
        return list(self._extractor(preprocessed))

    def with_features(self, features: Sequence[tf.Tensor]) -> AbstractContextManager[None]:
        """See `Architecture.with_features`."""
        return patched(self.model, "_feature_extractor", lambda images: list(features))

    def losses(self, predictions: Predictions, shapes: tf.Tensor) -> Losses:
        """See `Architecture.losses`: that of centres is of classes, those of offsets and scales are of boxes."""
        losses = self.model.loss(predictions, shapes)
        weights = self.model.groundtruth_lists("weights")
        boxes = center_net_meta_arch.get_num_instances_from_weights(weights)
        return Losses(
            losses[f"Loss/{_CENTRES}"],
            losses[f"Loss/{center_net_meta_arch.BOX_SCALE}"] + losses[f"Loss/{center_net_meta_arch.BOX_OFFSET}"],
            tf.cast(boxes, tf.float32),
        )

    def postprocess(self, predictions: Predictions, shapes: tf.Tensor | None) -> Predictions:
        """See `Architecture.postprocess`: peaks of centres in the photo.

        The OD API compares cells of the output with pixels of the input, and so finds peaks in the black beside it.
        """
        if shapes is not None:
            centres = predictions[_CENTRES][-1]
            inside = _cells_inside(tf.shape(centres), shapes, self.model._stride)
            predictions = {**predictions, _CENTRES: [tf.where(inside, centres, _NO_LOGIT)]}
        found = self.model.postprocess(predictions, shapes)
        return {name: tf.cast(found[name], tf.float32) for name in OUTPUTS}

    @property
    def _extractor(self) -> Any:
        return self.model._feature_extractor


def _cells_inside(size: tf.Tensor, shapes: tf.Tensor, stride: int) -> tf.Tensor:
    """Bool `(B, height, width, 1)`: the cells of an output of `size` that hold pixels of photos of `shapes`."""
    # Of positive numbers: ONNX rounds the quotient of others up.
    cells = (shapes[:, :2] + stride - 1) // stride
    rows = tf.range(size[1])[tf.newaxis] < cells[:, :1]
    columns = tf.range(size[2])[tf.newaxis] < cells[:, 1:]
    return (rows[:, :, tf.newaxis] & columns[:, tf.newaxis])[..., tf.newaxis]


def _layers_with_weights(head: Any) -> int:
    """How many layers of a head have weights: its convolutions, which have none yet before it is first called."""
    return sum(hasattr(layer, "kernel_size") for layer in head.layers)


def _without_weights(build: Callable[..., Any]) -> Callable[..., Any]:
    """The OD API's function for a MobileNet V2, which would download ImageNet weights: they come from models/base."""

    @functools.wraps(build)
    def built(*args: Any, **kwargs: Any) -> Any:
        return build(*args, **{**kwargs, "weights": None})

    return built
