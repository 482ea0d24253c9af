"""The SSD detectors of the TensorFlow 2 Detection Model Zoo (the release of 2020-07-11), EfficientDet among them.

No weight depends on the input's size, so the zoo's checkpoints fit them at every size; some are here at a quarter of
the pixels too. A size is a multiple of 32: the backbones halve it five times, and a pyramid adds up maps that are each
twice the next. EfficientDet's pyramid has two levels more that must fit, so that its sizes are multiples of 128.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from tasks.model.definition import Initializer, ModelDefinition

_SMALL = Initializer(stddev=0.01)


@dataclass(frozen=True, kw_only=True)
class SsdDefinition(ModelDefinition):
    """An SSD with a MobileNet or a ResNet.

    Attributes:
        fpn_depth: channels of the feature pyramid and of the heads' tower; None: no pyramid, one plain layer a map.
        depthwise: separable convolutions in pyramid and tower ("FPNLite"), and one tower for classes and boxes.
        l2_weight: weight decay.
        initializer: of the feature extractor's new layers.
        batchnorm_decay: the zoo's, for runs of many thousand steps.
        focal_alpha: weight of the positive anchors in the classification loss.
    """

    fpn_depth: int | None
    depthwise: bool = False
    l2_weight: float = 4e-5
    initializer: Initializer = _SMALL
    batchnorm_decay: float = 0.997
    focal_alpha: float = 0.25


@dataclass(frozen=True, kw_only=True)
class EfficientDetDefinition(ModelDefinition):
    """An EfficientDet (Tan et al. 2020, arXiv:1911.09070, table 1).

    Attributes:
        bifpn_iterations: how often its pyramid goes down and up.
        bifpn_filters: channels of the pyramid and of the heads' towers.
    """

    bifpn_iterations: int
    bifpn_filters: int
    keeps_proportions: ClassVar[bool] = True
    side_step_px: ClassVar[int] = 128
    zoo_suffix: ClassVar[str] = "_coco17_tpu-32"


_V1_FPN = SsdDefinition(
    name="ssd_mobilenet_v1_fpn_640x640",
    backbone="mobilenet_v1",
    feature_extractor="ssd_mobilenet_v1_fpn_keras",
    side_px=640,
    fpn_depth=256,
)
_RESNET50_FPN = SsdDefinition(
    name="ssd_resnet50_v1_fpn_640x640",
    backbone="resnet50_v1",
    feature_extractor="ssd_resnet50_v1_fpn_keras",
    side_px=640,
    fpn_depth=256,
    l2_weight=4e-4,
    initializer=Initializer(stddev=0.03, truncated=True),
)

_RESNET101_FPN = replace(
    _RESNET50_FPN,
    name="ssd_resnet101_v1_fpn_640x640",
    backbone="resnet101_v1",
    feature_extractor="ssd_resnet101_v1_fpn_keras",
)
_RESNET152_FPN = replace(
    _RESNET50_FPN,
    name="ssd_resnet152_v1_fpn_640x640",
    backbone="resnet152_v1",
    feature_extractor="ssd_resnet152_v1_fpn_keras",
)

SSD_MODELS: tuple[ModelDefinition, ...] = (
    _V1_FPN,
    replace(_V1_FPN, name="ssd_mobilenet_v1_fpn_320x320", side_px=320, zoo_name=_V1_FPN.name),
    # The name says 320; the zoo trained it, and published its figures, at 300.
    SsdDefinition(
        name="ssd_mobilenet_v2_320x320",
        backbone="mobilenet_v2",
        feature_extractor="ssd_mobilenet_v2_keras",
        side_px=300,
        fpn_depth=None,
        initializer=Initializer(stddev=0.03, truncated=True),
        batchnorm_decay=0.97,
        focal_alpha=0.75,
    ),
    SsdDefinition(
        name="ssd_mobilenet_v2_fpnlite_320x320",
        backbone="mobilenet_v2",
        feature_extractor="ssd_mobilenet_v2_fpn_keras",
        side_px=320,
        fpn_depth=128,
        depthwise=True,
    ),
    SsdDefinition(
        name="ssd_mobilenet_v2_fpnlite_640x640",
        backbone="mobilenet_v2",
        feature_extractor="ssd_mobilenet_v2_fpn_keras",
        side_px=640,
        fpn_depth=128,
        depthwise=True,
    ),
    _RESNET50_FPN,
    replace(_RESNET50_FPN, name="ssd_resnet50_v1_fpn_320x320", side_px=320, zoo_name=_RESNET50_FPN.name),
    _RESNET101_FPN,
    _RESNET152_FPN,
    EfficientDetDefinition(
        name="ssd_efficientdet_d0_512x512",
        backbone="efficientnet_b0",
        feature_extractor="ssd_efficientnet-b0_bifpn_keras",
        zoo_name="efficientdet_d0",
        side_px=512,
        bifpn_iterations=3,
        bifpn_filters=64,
    ),
    EfficientDetDefinition(
        name="ssd_efficientdet_d1_640x640",
        backbone="efficientnet_b1",
        feature_extractor="ssd_efficientnet-b1_bifpn_keras",
        zoo_name="efficientdet_d1",
        side_px=640,
        bifpn_iterations=4,
        bifpn_filters=88,
    ),
    EfficientDetDefinition(
        name="ssd_efficientdet_d2_768x768",
        backbone="efficientnet_b2",
        feature_extractor="ssd_efficientnet-b2_bifpn_keras",
        zoo_name="efficientdet_d2",
        side_px=768,
        bifpn_iterations=5,
        bifpn_filters=112,
    ),
)
