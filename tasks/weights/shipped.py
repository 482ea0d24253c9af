"""The weights that ship with the project: in weights/, a file and a card for each network, made by studies.

`checkpoint.source: base` takes the best of them for the model, `imagenet` the backbone of MobileNet V2 alone.
"""

from pathlib import Path

from pydantic import ValidationError

from tasks.artifacts.base import LABEL_MAP, BaseDescription, write_arrays
from tasks.artifacts.weights_card import WeightsCard
from tasks.errors import CheckpointError, FormatError
from tasks.ground.files import CODE, read_small, sha256_of
from tasks.model.definitions import MODELS
from tasks.model.label_map import write_label_map
from tasks.weights.packed_weights import Arrays, read_packed
from tasks.weights.request import WeightsRequest

# Beside the code, not in the working folder: studies run in folders of their own.
FOLDER = CODE.parent / "weights"
FPNLITE, SSD, MOBILENET_V1, IMAGENET = (
    "mobilenet_v2_fpnlite",
    "mobilenet_v2_ssd",
    "mobilenet_v1",
    "mobilenet_v2_imagenet",
)
# The file that `base` means, by feature extractor. Input size does not matter: no weight depends on it.
_BASES = {
    "ssd_mobilenet_v2_fpn_keras": FPNLITE,
    "ssd_mobilenet_v2_keras": SSD,
    "ssd_mobilenet_v1_fpn_keras": MOBILENET_V1,
    "mobilenet_v2_fpn_sep_conv": IMAGENET,
}
_BACKBONES_ALONE = (MOBILENET_V1, IMAGENET)
_BETTER = "zoo is better where it can be reached"
_MAX_CARD_BYTES = 1_000_000


def models_of(name: str) -> list[str]:
    """The values of `model.name` that a file of weights/ is for."""
    if name == IMAGENET:
        return [model.name for model in MODELS.values() if model.backbone == "mobilenet_v2"]
    return [model.name for model in MODELS.values() if _BASES.get(model.feature_extractor) == name]


def take_base(request: WeightsRequest, into: Path) -> BaseDescription:
    """Write the best weights for the model into the folder `into`; where they are none or a backbone alone, say so.

    Raises:
        CheckpointError: as `read_shipped`.
    """
    name = _BASES.get(request.definition.feature_extractor) if request.definition else None
    if name is None:
        better = _BETTER if request.definition else "the path of an archive with these layers is better"
        reason = f"no weights in weights/ fit {request.model}: training starts from random numbers; {better}"
        return request.no_weights().model_copy(update={"fallback": reason})
    description = _take(name, request, into)
    if name not in _BACKBONES_ALONE:
        return description
    reason = f"the base for {request.model} is a backbone alone: all other layers start new; {_BETTER}"
    return description.model_copy(update={"fallback": reason})


def take_imagenet(request: WeightsRequest, into: Path) -> BaseDescription:
    """Write ImageNet weights of the model's backbone into the folder `into`; describe them.

    Raises:
        CheckpointError: there are none for this backbone; as `read_shipped`.
    """
    if request.definition is None:
        raise CheckpointError(
            f"checkpoint.source imagenet: none of the models here has the feature extractor of {request.model}, so "
            "that no ImageNet weights are known to fit; set checkpoint.source to base, to the path of a checkpoint, or "
            "to none"
        )
    if not request.is_mobilenet_v2:
        raise CheckpointError(
            f"checkpoint.source imagenet: there are ImageNet weights for MobileNetV2 only, and {request.model} has "
            "another backbone; set checkpoint.source to base, to zoo, to the path of a checkpoint, or to none"
        )
    return _take(IMAGENET, request, into)


def _take(name: str, request: WeightsRequest, into: Path) -> BaseDescription:
    arrays, card = read_shipped(name)
    write_arrays(arrays, into)
    if card.classes:
        write_label_map(card.classes, into / LABEL_MAP)
    origin = f"weights/{name}.npz, {card.origin}"
    return request.description("weights", origin, sha256=card.sha256, licence=card.licence)


def read_shipped(name: str) -> tuple[Arrays, WeightsCard]:
    """The arrays of weights/`name`.npz, float32 by checkpoint key or Keras layer, and their card.

    Raises:
        CheckpointError: the file or its card is missing or cannot be read, or the card describes another file.
    """
    weights, file = FOLDER / f"{name}.npz", FOLDER / f"{name}.json"
    for path in (weights, file):
        if not path.is_file():
            raise CheckpointError(
                f"checkpoint.source: {path} is missing; restore it from git, or make it as weights/README.md says, or "
                "set checkpoint.source to zoo, none, or the path of a checkpoint"
            )
    try:
        card = WeightsCard.model_validate_json(read_small(file, _MAX_CARD_BYTES, "a card of weights"))
    except (ValidationError, FormatError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise CheckpointError(
            f"{file}: not the card of a file of weights: {reason:.200}; restore it from git"
        ) from error
    sha256 = sha256_of(weights)
    if sha256 != card.sha256:
        raise CheckpointError(
            f"{weights}: its SHA-256 is {sha256}, but {file.name} says {card.sha256}; restore both from git"
        )
    return read_packed(weights), card
