"""The CenterNet detectors of boxes in the TensorFlow 2 Detection Model Zoo (Zhou et al. 2019, arXiv:1904.07850).

No weight depends on the input's size. It is a multiple of 32: the backbones halve it five times, and each of the three
upsampled maps must be as large as the backbone's map of that level.
"""

from dataclasses import dataclass
from typing import ClassVar

from tasks.model.definition import ModelDefinition

# Pixels of the input, across and down, for one cell of the output, in which one object of a class can be found. All of
# the OD API's extractors have it.
OUTPUT_STRIDE_PX = 4


@dataclass(frozen=True, kw_only=True)
class CenterNetDefinition(ModelDefinition):
    """A CenterNet that finds boxes.

    Attributes:
        separable_upsampling: separable convolutions in the layers that upsample the backbone's output.
        separable_heads: and in the heads.
    """

    separable_upsampling: bool = False
    separable_heads: bool = False
    keeps_proportions: ClassVar[bool] = True


class MobileCenterNetDefinition(CenterNetDefinition):
    """One of the zoo's CenterNets for phones, which came out later."""

    zoo_suffix: ClassVar[str] = "_coco17_od"
    zoo_release: ClassVar[str] = "20210210"


CENTER_NET_MODELS: tuple[ModelDefinition, ...] = (
    CenterNetDefinition(
        name="centernet_resnet50_v1_fpn_512x512",
        backbone="resnet50_v1",
        feature_extractor="resnet_v1_50_fpn",
        side_px=512,
    ),
    CenterNetDefinition(
        name="centernet_resnet50_v2_512x512",
        backbone="resnet50_v2",
        feature_extractor="resnet_v2_50",
        side_px=512,
    ),
    MobileCenterNetDefinition(
        name="centernet_mobilenet_v2_fpn_512x512",
        backbone="mobilenet_v2",
        feature_extractor="mobilenet_v2_fpn_sep_conv",
        zoo_name="centernet_mobilenetv2fpn_512x512",
        side_px=512,
        separable_upsampling=True,
        separable_heads=True,
    ),
)
