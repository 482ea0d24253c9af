"""The detectors that params.yaml can name, as numbers. Plain Python: neither TensorFlow nor protobuf.

`model_proto` holds what they have in common (anchors, matcher, losses, non-maximum suppression), this module what
differs. All are SSD detectors of the TensorFlow 2 Detection Model Zoo (the release of 2020-07-11), two of them at a
quarter of the pixels too. No weight depends on the input's size, so the zoo's checkpoints fit them at every size.
A size is a multiple of 32: the backbones halve it five times, and a pyramid adds up maps that are each twice the next.
"""

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from tasks.errors import ConfigError

Backbone = Literal["mobilenet_v1", "mobilenet_v2", "resnet50_v1"]

# What `train.freeze` counts: MobileNet V1's Conv2d_0..13, MobileNet V2's stem with its first block, block_1..16 and
# Conv_1, ResNet's stem and four stages.
BLOCKS: dict[Backbone, int] = {"mobilenet_v1": 14, "mobilenet_v2": 18, "resnet50_v1": 5}

CONFIGS = "configs"


@dataclass(frozen=True)
class Initializer:
    """The normal distribution of new kernels: around 0 with this standard deviation, optionally cut at two of them."""

    stddev: float
    truncated: bool = False


@dataclass(frozen=True)
class ModelDefinition:
    """One detector.

    Attributes:
        name: what params.yaml calls it.
        backbone: the family of its classification network.
        feature_extractor: the OD API's name of backbone and feature maps together.
        side_px: height and width of its input.
        fpn_depth: channels of the feature pyramid and of the heads' tower; None: no pyramid, one plain layer a map.
        depthwise: separable convolutions in pyramid and tower ("FPNLite"), and one tower for classes and boxes.
        l2_weight: weight decay.
        initializer: of the feature extractor's new layers.
        batchnorm_decay: the zoo's, for runs of many thousand steps.
        focal_alpha: weight of the positive anchors in the classification loss.
        zoo_name: the zoo's name of the model whose weights fit, where it is not `name`: of another input size.
    """

    name: str
    backbone: Backbone
    feature_extractor: str
    side_px: int
    fpn_depth: int | None
    depthwise: bool = False
    l2_weight: float = 4e-5
    initializer: Initializer = Initializer(stddev=0.01)
    batchnorm_decay: float = 0.997
    focal_alpha: float = 0.25
    zoo_name: str | None = None

    @property
    def zoo_archive(self) -> str:
        """The archive's name in the zoo, without `.tar.gz`."""
        return f"{self.zoo_name or self.name}_coco17_tpu-8"


_V1_FPN = ModelDefinition(
    name="ssd_mobilenet_v1_fpn_640x640",
    backbone="mobilenet_v1",
    feature_extractor="ssd_mobilenet_v1_fpn_keras",
    side_px=640,
    fpn_depth=256,
)
_RESNET50_FPN = ModelDefinition(
    name="ssd_resnet50_v1_fpn_640x640",
    backbone="resnet50_v1",
    feature_extractor="ssd_resnet50_v1_fpn_keras",
    side_px=640,
    fpn_depth=256,
    l2_weight=4e-4,
    initializer=Initializer(stddev=0.03, truncated=True),
)

MODELS: dict[str, ModelDefinition] = {
    model.name: model
    for model in (
        _V1_FPN,
        replace(_V1_FPN, name="ssd_mobilenet_v1_fpn_320x320", side_px=320, zoo_name=_V1_FPN.name),
        # The name says 320; the zoo trained it, and published its figures, at 300.
        ModelDefinition(
            name="ssd_mobilenet_v2_320x320",
            backbone="mobilenet_v2",
            feature_extractor="ssd_mobilenet_v2_keras",
            side_px=300,
            fpn_depth=None,
            initializer=Initializer(stddev=0.03, truncated=True),
            batchnorm_decay=0.97,
            focal_alpha=0.75,
        ),
        ModelDefinition(
            name="ssd_mobilenet_v2_fpnlite_320x320",
            backbone="mobilenet_v2",
            feature_extractor="ssd_mobilenet_v2_fpn_keras",
            side_px=320,
            fpn_depth=128,
            depthwise=True,
        ),
        ModelDefinition(
            name="ssd_mobilenet_v2_fpnlite_640x640",
            backbone="mobilenet_v2",
            feature_extractor="ssd_mobilenet_v2_fpn_keras",
            side_px=640,
            fpn_depth=128,
            depthwise=True,
        ),
        _RESNET50_FPN,
        replace(_RESNET50_FPN, name="ssd_resnet50_v1_fpn_320x320", side_px=320, zoo_name=_RESNET50_FPN.name),
    )
}


def input_side_px(name: str, side_px: int | None) -> int | None:
    """The side of the square that images are scaled to; None for the user's own config, which is not read here.

    `name` and `side_px` are those of params.yaml's `model`.

    Raises:
        ConfigError: a size for a config.
    """
    if side_px is None:
        return MODELS[name].side_px if name in MODELS else None
    _refuse_size_of_config(name)
    return side_px


def resized(model: ModelDefinition, side_px: int) -> ModelDefinition:
    """`model` with an input of `side_px`; its weights in the zoo are then those trained at the nearest size."""
    same_layers = [other for other in MODELS.values() if other.feature_extractor == model.feature_extractor]
    nearest = min(same_layers, key=lambda other: (abs(other.side_px - side_px), other.name != model.name))
    return replace(model, side_px=side_px, zoo_name=nearest.zoo_name or nearest.name)


def backbone_of(feature_extractor: str) -> Backbone | None:
    """The family of the backbone in one of the OD API's feature extractors; None where none of `MODELS` has it."""
    return next((model.backbone for model in MODELS.values() if model.feature_extractor == feature_extractor), None)


def find_model(name: str, side_px: int | None = None) -> ModelDefinition | Path:
    """What `model.name` means: one of `MODELS`, with an input of `side_px`, or the path of the user's pipeline.config.

    Args:
        name: `model.name`.
        side_px: `model.side_px`; None: the size that the model has. A pipeline.config says its size itself.

    Raises:
        ConfigError: it is neither, or a config outside `configs/`, where DVC would not notice a change; or a size for a
            config.
    """
    if side_px is not None:
        _refuse_size_of_config(name)
    if name in MODELS:
        return MODELS[name] if side_px is None else resized(MODELS[name], side_px)
    if name.endswith(".config"):
        return _users_config(name)
    near = difflib.get_close_matches(name, MODELS, n=1, cutoff=0.4)
    raise ConfigError(
        f"model.name: there is no model {name!r}{f'; did you mean {near[0]}?' if near else '.'} There are "
        f"{', '.join(MODELS)}; a pipeline.config of yours is named by its path, {CONFIGS}/NAME.config"
    )


def closest_model(config_path: Path) -> ModelDefinition | None:
    """The one of `MODELS` whose zoo weights fit a user's pipeline.config best: same layers, nearest input size.

    None where none of them has that feature extractor.

    Raises:
        ConfigError: the file names no feature extractor.
    """
    text = re.sub(r"#.*", "", config_path.read_text(encoding="utf-8", errors="replace"))
    extractor = re.search(r"""feature_extractor\s*:?\s*\{.*?\btype\s*:\s*["']([^"']+)["']""", text, re.DOTALL)
    if extractor is None:
        raise ConfigError(f"{config_path}: no model.ssd.feature_extractor.type in it; is it a pipeline.config?")
    height = re.search(r"\bheight\s*:\s*(\d{1,5})\b", text)
    side_px = int(height[1]) if height else 0
    fitting = [model for model in MODELS.values() if model.feature_extractor == extractor[1]]
    return min(fitting, key=lambda model: abs(model.side_px - side_px), default=None)


def _refuse_size_of_config(name: str) -> None:
    if name.endswith(".config"):
        raise ConfigError(
            f"model.side_px: {name} says its input size itself, in its image_resizer; change it there, and set "
            "model.side_px to null"
        )


def _users_config(name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[0] != CONFIGS or len(path.parts) < 2:
        raise ConfigError(
            f"model.name: {name} is not below {CONFIGS}/; copy it there, so that a change to it is noticed, "
            f"and set model.name to {CONFIGS}/{path.name}"
        )
    if not Path(path).is_file():
        raise ConfigError(f"model.name: there is no file {name}; see {CONFIGS}/README.md for what to put there")
    return Path(path)
