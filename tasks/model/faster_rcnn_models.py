"""The Faster R-CNN detectors of the TensorFlow 2 Detection Model Zoo (the release of 2020-07-11) at 640 pixels.

Two stages: a region proposal network on the backbone's stages up to conv4, then a classifier, the backbone's conv5, on
each of the proposals. No weight depends on the input's size.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from tasks.model.definition import Backbone, ModelDefinition


@dataclass(frozen=True, kw_only=True)
class FasterRcnnDefinition(ModelDefinition):
    """A Faster R-CNN with a ResNet (Ren et al. 2015, arXiv:1506.01497)."""

    keeps_proportions: ClassVar[bool] = True


_RESNET50 = FasterRcnnDefinition(
    name="faster_rcnn_resnet50_v1_640x640",
    backbone="resnet50_v1_to_conv4",
    feature_extractor="faster_rcnn_resnet50_keras",
    side_px=640,
)

FASTER_RCNN_MODELS: tuple[ModelDefinition, ...] = (
    _RESNET50,
    replace(
        _RESNET50,
        name="faster_rcnn_resnet101_v1_640x640",
        backbone="resnet101_v1_to_conv4",
        feature_extractor="faster_rcnn_resnet101_keras",
    ),
    replace(
        _RESNET50,
        name="faster_rcnn_resnet152_v1_640x640",
        backbone="resnet152_v1_to_conv4",
        feature_extractor="faster_rcnn_resnet152_keras",
    ),
)

# The OD API's feature extractors with an FPN, which a pipeline.config may name: the zoo has no weights for them.
FPN_BACKBONES: dict[str, Backbone] = {
    "faster_rcnn_resnet50_fpn_keras": "resnet50_v1",
    "faster_rcnn_resnet101_fpn_keras": "resnet101_v1",
    "faster_rcnn_resnet152_fpn_keras": "resnet152_v1",
}
