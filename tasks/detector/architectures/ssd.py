"""SSD: `SSDMetaArch` with any of its feature extractors; EfficientDet is one of them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf
from object_detection.utils import ops

from tasks.detector.architectures.architecture import Architecture, Losses, Predictions
from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, FEATURE_MAPS, TOWER
from tasks.detector.architectures.target_assignment import assigning
from tasks.detector.patching import patched

_EFFICIENTNET = "_efficientnet"


class Ssd(Architecture):
    """See `Architecture`."""

    def __init__(self, model: Any) -> None:
        """See `Architecture`; EfficientNet's stochastic depth is switched off, so that a step has no chance in it."""
        super().__init__(model)
        if self._backbone_name == _EFFICIENTNET:
            for layer in model.submodules:
                if isinstance(layer, tf.keras.layers.Dropout):
                    layer.rate = 0.0

    @staticmethod
    def component_of(key: str) -> str:
        """See `Architecture.component_of`."""
        if "/classification_backbone/" in key or "/_efficientnet/" in key:
            return BACKBONE
        if "/_feature_extractor/" in key:
            return FEATURE_MAPS
        # The key of a separate tower before the class head has that name too, below _base_tower_layers_for_heads.
        if "/_prediction_heads/class_predictions_with_background/" in key:
            return CLASS_HEAD
        if "/_box_prediction_head/" in key or "/_prediction_heads/box_encodings/" in key:
            return BOX_HEAD
        return TOWER

    def is_unused(self, key: str) -> bool:
        """See `Architecture.is_unused`: EfficientNet's layers behind the last feature map, for 1,000 classes."""
        return self._backbone_name == _EFFICIENTNET and "/classification_backbone/" in key

    @property
    def has_background_class(self) -> bool:
        """See `Architecture.has_background_class`."""
        # The OD API's own switch; it has no public name.
        return bool(self.model._add_background_class)

    @property
    def backbone(self) -> tf.keras.Model:
        """The Keras model up to the feature maps that the FPN or the extra layers start from."""
        return getattr(self.model.feature_extractor, self._backbone_name)

    def preprocess(self, images: tf.Tensor) -> tf.Tensor:
        """See `Architecture.preprocess`."""
        return self.model.feature_extractor.preprocess(images)

    def backbone_input(self, preprocessed: tf.Tensor) -> tf.Tensor:
        """See `Architecture.backbone_input`."""
        return ops.pad_to_multiple(preprocessed, self.model.feature_extractor._pad_to_multiple)

    def with_backbone(self, outputs: Callable[[tf.Tensor], Any]) -> AbstractContextManager[None]:
        """See `Architecture.with_backbone`."""
        return patched(self.model.feature_extractor, self._backbone_name, outputs)

    def features(self, preprocessed: tf.Tensor) -> Sequence[tf.Tensor]:
        """See `Architecture.features`."""
        return list(self.model.feature_extractor(preprocessed))

    def with_features(self, features: Sequence[tf.Tensor]) -> AbstractContextManager[None]:
        """See `Architecture.with_features`."""
        return patched(self.model, "_feature_extractor", _FixedFeatures(features))

    @property
    def _backbone_name(self) -> str:
        """The extractor's attribute: EfficientDet's has the whole classifier under the usual name."""
        return _EFFICIENTNET if hasattr(self.model.feature_extractor, _EFFICIENTNET) else "classification_backbone"

    def losses(self, predictions: Predictions, shapes: tf.Tensor) -> Losses:
        """See `Architecture.losses`."""
        with assigning(self.model) as matches:
            losses = self.model.loss(predictions, shapes)
        return Losses(
            losses["Loss/classification_loss"],
            losses["Loss/localization_loss"],
            matches[0] if self.model._normalize_loss_by_num_matches else None,
        )


class _FixedFeatures:
    """Takes the place of the feature extractor and returns features that are computed already."""

    is_keras_model = True

    def __init__(self, features: Sequence[tf.Tensor]) -> None:
        self._features = features

    def __call__(self, images: tf.Tensor) -> list[tf.Tensor]:
        return list(self._features)
