"""What every detector that params.yaml can name has, whatever its meta-architecture."""

from dataclasses import dataclass
from typing import ClassVar, Literal

Backbone = Literal[
    "mobilenet_v1",
    "mobilenet_v2",
    "resnet50_v1",
    "resnet101_v1",
    "resnet152_v1",
    "resnet50_v1_to_conv4",
    "resnet101_v1_to_conv4",
    "resnet152_v1_to_conv4",
    "resnet50_v2",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
]

# What `train.freeze` counts: MobileNet V1's Conv2d_0..13, MobileNet V2's stem with its first block, block_1..16 and
# Conv_1, ResNet's stem and four stages (a Faster R-CNN's backbone has three of them), EfficientNet's stem with its
# first stage and six more.
BLOCKS: dict[Backbone, int] = {
    "mobilenet_v1": 14,
    "mobilenet_v2": 18,
    "resnet50_v1": 5,
    "resnet101_v1": 5,
    "resnet152_v1": 5,
    "resnet50_v1_to_conv4": 4,
    "resnet101_v1_to_conv4": 4,
    "resnet152_v1_to_conv4": 4,
    "resnet50_v2": 5,
    "efficientnet_b0": 7,
    "efficientnet_b1": 7,
    "efficientnet_b2": 7,
}

# The zoo's folder of nearly all models, named by its day.
ZOO_RELEASE = "20200711"


@dataclass(frozen=True)
class Initializer:
    """The normal distribution of new kernels: around 0 with this standard deviation, optionally cut at two of them."""

    stddev: float
    truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class ModelDefinition:
    """One detector.

    Attributes:
        name: what params.yaml calls it.
        backbone: the family of its classification network.
        feature_extractor: the OD API's name of backbone and feature maps together.
        side_px: height and width of its input.
        zoo_name: the zoo's name of the model whose weights fit, where it is not `name`: of another input size.
        keeps_proportions: whether images keep them on the input, which is black beside them; else they are stretched.
        side_step_px: its input's side is a multiple of this.
        zoo_suffix: what the archives of its kind end with in the zoo.
        zoo_release: the zoo's folder in which they lie.
    """

    name: str
    backbone: Backbone
    feature_extractor: str
    side_px: int
    zoo_name: str | None = None
    keeps_proportions: ClassVar[bool] = False
    side_step_px: ClassVar[int] = 32
    zoo_suffix: ClassVar[str] = "_coco17_tpu-8"
    zoo_release: ClassVar[str] = ZOO_RELEASE

    @property
    def zoo_archive(self) -> str:
        """The archive's name in the zoo, without `.tar.gz`."""
        return f"{self.zoo_name or self.name}{self.zoo_suffix}"
