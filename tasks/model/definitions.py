"""The detectors that params.yaml can name, as numbers, and what its `model` means. Neither TensorFlow nor protobuf.

A module for each meta-architecture has what differs between its models, and `detector` what they have in common:
anchors, matcher, losses, non-maximum suppression.
"""

import difflib
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tasks.errors import ConfigError
from tasks.ground.text import quoted, shortened
from tasks.model.center_net_models import CENTER_NET_MODELS
from tasks.model.definition import Backbone, ModelDefinition
from tasks.model.faster_rcnn_models import FASTER_RCNN_MODELS, FPN_BACKBONES
from tasks.model.resizer import Resizer
from tasks.model.ssd_models import SSD_MODELS

CONFIGS = "configs"

MODELS: dict[str, ModelDefinition] = {
    model.name: model for model in (*SSD_MODELS, *CENTER_NET_MODELS, *FASTER_RCNN_MODELS)
}


def input_resizer(name: str, side_px: int | None) -> Resizer | None:
    """How images come on the square input; None for the user's own config, which is not read here.

    `name` and `side_px` are those of params.yaml's `model`.

    Raises:
        ConfigError: a size for a config, or one that the model cannot have.
    """
    if name not in MODELS:
        if side_px is not None:
            _refuse_size_of_config(name)
        return None
    model = MODELS[name] if side_px is None else resized(MODELS[name], side_px)
    if model.keeps_proportions:
        return Resizer(min_side=model.side_px, max_side=model.side_px)
    return Resizer(width=model.side_px, height=model.side_px)


def resized(model: ModelDefinition, side_px: int) -> ModelDefinition:
    """`model` with an input of `side_px`; its weights in the zoo are then those trained at the nearest size.

    Raises:
        ConfigError: a size that its layers cannot have.
    """
    if side_px % model.side_step_px:
        raise ConfigError(
            f"model.side_px: {side_px} is no multiple of {model.side_step_px}, which {model.name} needs; take "
            f"{max(256, round(side_px / model.side_step_px) * model.side_step_px)}"
        )
    same_layers = [other for other in MODELS.values() if other.feature_extractor == model.feature_extractor]
    nearest = min(same_layers, key=lambda other: (abs(other.side_px - side_px), other.name != model.name))
    return replace(model, side_px=side_px, zoo_name=nearest.zoo_name or nearest.name)


def backbone_of(feature_extractor: str) -> Backbone | None:
    """The family of the backbone in one of the OD API's feature extractors; None where it is not known."""
    backbones = {model.feature_extractor: model.backbone for model in MODELS.values()} | FPN_BACKBONES
    return backbones.get(feature_extractor)


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
    # The zoo's own names leave out a part of ours: efficientdet_d0.
    near = [model for model in MODELS if name in model] or difflib.get_close_matches(name, MODELS, n=1, cutoff=0.4)
    raise ConfigError(
        f"model.name: there is no model {quoted(name)}{f'; did you mean {near[0]}?' if near else '.'} There are "
        f"{', '.join(MODELS)}; name your own pipeline.config by its path, {CONFIGS}/NAME.config"
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
        raise ConfigError(f"{config_path}: no feature_extractor.type in it; is it a pipeline.config?")
    height = re.search(r"\b(?:height|max_dimension)\s*:\s*(\d{1,5})\b", text)
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
            f"model.name: {shortened(name)} is not below {CONFIGS}/; copy it there, so that a change to it is noticed, "
            f"and set model.name to {CONFIGS}/{shortened(path.name)}"
        )
    try:
        is_file = Path(path).is_file()
    # A name that no file can have.
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        raise ConfigError(
            f"model.name: there is no file {shortened(name)}; see {CONFIGS}/README.md for what to put there"
        )
    return Path(path)
