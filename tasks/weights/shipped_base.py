"""The base that comes with the project: the weights of a detector trained on generated scenes, and their card.

studies/base makes them. They fit the MobileNet V2 FPNLite detectors at every input size: no weight depends on it.
"""

import json
from dataclasses import dataclass

from tasks.errors import CheckpointError
from tasks.ground.files import CODE, sha256_of
from tasks.model.definitions import ModelDefinition
from tasks.weights.packed_weights import Arrays, read_packed

# Beside the code, not in the working folder: studies run in folders of their own.
FOLDER = CODE.parent / "weights"
NAME = "mobilenet_v2_fpnlite"


@dataclass(frozen=True)
class ShippedBase:
    """The weights, float32 by checkpoint key, and what their card says of them."""

    arrays: Arrays
    origin: str
    sha256: str
    licence: str


def suits(definition: ModelDefinition | None) -> bool:
    """Whether the base is for this model."""
    return definition is not None and definition.backbone == "mobilenet_v2" and definition.depthwise


def read_shipped_base() -> ShippedBase:
    """The base in `weights/`.

    Raises:
        CheckpointError: there is none, its card cannot be read, or the file is not the one that the card was made for.
    """
    weights, card = FOLDER / f"{NAME}.npz", FOLDER / f"{NAME}.json"
    for path in (weights, card):
        if not path.is_file():
            raise CheckpointError(
                f"checkpoint.source base: {path} is not there; make it as studies/base/README.md says, or set "
                "checkpoint.source to imagenet, zoo, none, or the path of a checkpoint"
            )
    try:
        content = json.loads(card.read_text(encoding="utf-8"))
        promised, origin, licence = (str(content[key]) for key in ("sha256", "origin", "licence"))
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{card}: not the card that studies/base packs: {error!r}; restore it from git"
        ) from error
    sha256 = sha256_of(weights)
    if sha256 != promised:
        raise CheckpointError(
            f"{weights}: its SHA-256 is {sha256}, but {card.name} says {promised}; restore both from git, or copy both "
            "from studies/base/packed"
        )
    return ShippedBase(read_packed(weights), f"weights/{NAME}.npz, {origin}", sha256, licence)
