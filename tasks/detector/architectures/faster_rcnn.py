"""Faster R-CNN: `FasterRCNNMetaArch` with two stages, of boxes, with a ResNet.

The backbone is the ResNet up to conv4, which both stages share. `feature_maps` is its conv5, which computes the
features of each proposal. The box head holds what the region proposal network says of an anchor, objectness included,
since that does not depend on the classes, and the second stage's boxes where all classes share them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any, ClassVar

import tensorflow as tf
from object_detection.utils import spatial_transform_ops

from tasks.detector.architectures.architecture import Architecture, Losses, Predictions
from tasks.detector.architectures.components import BACKBONE, BOX_HEAD, CLASS_HEAD, FEATURE_MAPS, TOWER
from tasks.detector.architectures.crops import crop_with_little_memory
from tasks.detector.architectures.stateless_draws import stateless_draws
from tasks.detector.patching import patched
from tasks.model.variants import Runtime

# The model's attributes that hold the layers before each of its stages.
PROPOSAL_FEATURES = "_feature_extractor_for_proposal_features"
BOX_CLASSIFIER_FEATURES = "_feature_extractor_for_box_classifier_features"
_BOXES = "/_mask_rcnn_box_predictor/_box_prediction_head/"
# The components but for the second stage's boxes, by a part of the key.
_COMPONENTS = {
    f"/{PROPOSAL_FEATURES}/": BACKBONE,
    f"/{BOX_CLASSIFIER_FEATURES}/": FEATURE_MAPS,
    "/_first_stage_box_predictor_first_conv/": TOWER,
    "/_first_stage_box_predictor/": BOX_HEAD,
    "/_mask_rcnn_box_predictor/_class_prediction_head/": CLASS_HEAD,
}


class FasterRcnn(Architecture):
    """See `Architecture`."""

    has_background_class = True
    # A softmax does not change where all classes get the same.
    class_bias = 0.0
    has_batchnorm_decay = False
    predicts_with_groundtruth = True
    unavailable: ClassVar[Mapping[Runtime, str]] = {
        "TFLite": "the OD API has no TFLite form of Faster R-CNN",
    }

    def __init__(self, model: Any) -> None:
        """See `Architecture`; both parts of the backbone are built here.

        The OD API builds them at the first call, where tensors of the traced function would become parts of them.
        """
        super().__init__(model)
        extractor = model.feature_extractor
        first = extractor.get_proposal_feature_extractor_model(name=model.first_stage_feature_extractor_scope)
        second = extractor.get_box_classifier_feature_extractor_model(name=model.second_stage_feature_extractor_scope)
        setattr(model, PROPOSAL_FEATURES, first)
        setattr(model, BOX_CLASSIFIER_FEATURES, second)
        # Both of the OD API's ways to crop compute the same, so that the config's does not matter. The one that takes
        # more memory has a deterministic gradient on GPUs.
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        model._crop_and_resize_fn = (
            spatial_transform_ops.multilevel_matmul_crop_and_resize if has_gpu else crop_with_little_memory
        )

    def component_of(self, key: str) -> str:
        """See `Architecture.component_of`."""
        if _BOXES in key:
            return CLASS_HEAD if self._has_boxes_by_class else BOX_HEAD
        return next(component for part, component in _COMPONENTS.items() if part in key)

    def is_unused(self, key: str) -> bool:
        """See `Architecture.is_unused`."""
        return False

    def has_boxes_by_class(self, key: str) -> bool:
        """See `Architecture.has_boxes_by_class`."""
        return _BOXES in key and self._has_boxes_by_class

    @property
    def backbone(self) -> tf.keras.Model:
        """The ResNet up to conv4."""
        return getattr(self.model, PROPOSAL_FEATURES)

    def preprocess(self, images: tf.Tensor) -> tf.Tensor:
        """See `Architecture.preprocess`."""
        return self.model.feature_extractor.preprocess(images)

    def backbone_input(self, preprocessed: tf.Tensor) -> tf.Tensor:
        """See `Architecture.backbone_input`."""
        return preprocessed

    def with_backbone(self, outputs: Callable[[tf.Tensor], Any]) -> AbstractContextManager[None]:
        """See `Architecture.with_backbone`."""
        return patched(self.model, PROPOSAL_FEATURES, lambda images: outputs(images)[0])

    def features(self, preprocessed: tf.Tensor) -> Sequence[tf.Tensor]:
        """See `Architecture.features`: conv4 alone; conv5 has proposals as its input, which are others at each step."""
        return [getattr(self.model, PROPOSAL_FEATURES)(preprocessed)]

    def with_features(self, features: Sequence[tf.Tensor]) -> AbstractContextManager[None]:
        """See `Architecture.with_features`."""
        return self.with_backbone(lambda images: features)

    @contextmanager
    def inference(self) -> Iterator[None]:
        """See `Architecture.inference`: proposals are the best, not sampled ones, and anchors are clipped."""
        inferring = {
            "_is_training": False,
            # Else the OD API drops the anchors beyond the image, and keeps what was predicted at them.
            "_use_static_shapes": True,
            "_first_stage_nms_fn": partial(self.model._first_stage_nms_fn, use_static_shapes=False),
            "_crop_and_resize_fn": crop_with_little_memory,
        }
        with ExitStack() as patches:
            for name, value in inferring.items():
                patches.enter_context(patched(self.model, name, value))
            yield

    def seeded(self, seed: int, step: tf.Tensor) -> AbstractContextManager[None]:
        """See `Architecture.seeded`: anchors and proposals that are learned from are sampled."""
        return stateless_draws(seed, step)

    def losses(self, predictions: Predictions, shapes: tf.Tensor) -> Losses:
        """See `Architecture.losses`: of both stages."""
        losses = self.model.loss(predictions, shapes)
        first, second = "Loss/RPNLoss", "Loss/BoxClassifierLoss"
        return Losses(
            losses[f"{first}/objectness_loss"] + losses[f"{second}/classification_loss"],
            losses[f"{first}/localization_loss"] + losses[f"{second}/localization_loss"],
            # All four are means over the images.
            tf.cast(tf.shape(shapes)[0], tf.float32),
        )

    @property
    def _has_boxes_by_class(self) -> bool:
        return not self.model._mask_rcnn_box_predictor._box_prediction_head._share_box_across_classes
