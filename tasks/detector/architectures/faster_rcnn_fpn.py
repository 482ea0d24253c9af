"""Faster R-CNN with a feature pyramid (FPN, Lin et al. 2017, arXiv:1612.03144) on the four stages of a ResNet.

The backbone is the whole ResNet. `feature_maps` are the pyramid, the coarser maps behind it, and the dense layers that
compute the features of each proposal. The first stage looks for boxes in every level; a proposal is cut out of the one
that fits its size.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf
from object_detection.utils import ops

from tasks.detector.architectures.components import BACKBONE, FEATURE_MAPS
from tasks.detector.architectures.faster_rcnn import BOX_CLASSIFIER_FEATURES, PROPOSAL_FEATURES, FasterRcnn
from tasks.detector.patching import patched

_BACKBONE = "classification_backbone"
# Level 2, of a quarter of the image's sides, is what the first of the backbone's outputs becomes.
_FIRST_LEVEL = 2
_SECOND_STAGE = ("flatten", "dense_1", "batchnorm", "dense_2", "reshape")


class FasterRcnnFpn(FasterRcnn):
    """See `Architecture`."""

    def __init__(self, model: Any) -> None:
        """See `FasterRcnn`; layers get names that do not depend on what the process built before."""
        super().__init__(model)
        self._pyramid._name = "resnet_fpn"
        self._leave_out_unused_levels()
        for layer, name in zip(getattr(model, BOX_CLASSIFIER_FEATURES).layers, _SECOND_STAGE, strict=True):
            layer._name = f"second_stage_{name}"

    def component_of(self, key: str) -> str:
        """See `Architecture.component_of`."""
        component = super().component_of(key)
        return FEATURE_MAPS if component == BACKBONE and f"/{_BACKBONE}/" not in key else component

    @property
    def backbone(self) -> tf.keras.Model:
        """The ResNet, whose outputs are those of its stages that the pyramid is made of."""
        return getattr(self._pyramid, _BACKBONE)

    def backbone_input(self, preprocessed: tf.Tensor) -> tf.Tensor:
        """See `Architecture.backbone_input`."""
        return ops.pad_to_multiple(preprocessed, self._pyramid.pad_to_multiple)

    def with_backbone(self, outputs: Callable[[tf.Tensor], Any]) -> AbstractContextManager[None]:
        """See `Architecture.with_backbone`."""
        return patched(self._pyramid, _BACKBONE, outputs)

    def features(self, preprocessed: tf.Tensor) -> Sequence[tf.Tensor]:
        """See `Architecture.features`: the levels, without the layers that have proposals as their input."""
        return list(self._pyramid(preprocessed))

    def with_features(self, features: Sequence[tf.Tensor]) -> AbstractContextManager[None]:
        """See `Architecture.with_features`."""
        return patched(self.model, PROPOSAL_FEATURES, lambda images: list(features))

    @property
    def _pyramid(self) -> Any:
        """The OD API's layer from an image to the list of levels."""
        return getattr(self.model, PROPOSAL_FEATURES)

    def _leave_out_unused_levels(self) -> None:
        """Leave out of the backbone what no level is made of: the OD API has such layers, and weights of no effect."""
        pyramid = self._pyramid
        end = pyramid._base_fpn_max_level - _FIRST_LEVEL + 1
        # Keras gives a model's only output without a list around it, which the OD API looks for.
        used = slice(min(pyramid._fpn_min_level - _FIRST_LEVEL, end - 2), end)
        whole = getattr(pyramid, _BACKBONE)
        if len(whole.outputs[used]) < len(whole.outputs):
            pyramid.classification_backbone = tf.keras.Model(whole.inputs, whole.outputs[used])
            pyramid._resnet_block_names = pyramid._resnet_block_names[used]
