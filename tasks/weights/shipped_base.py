"""The base that ships with the project: the weights of a detector trained on generated scenes, and their card.

studies/base makes them. They fit the MobileNet V2 FPNLite detectors at every input size: no weight depends on it.
"""

import json
from dataclasses import dataclass

from tasks.errors import CheckpointError
from tasks.ground.files import CODE, sha256_of
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


def read_shipped_base() -> ShippedBase:
    """The base in `weights/`.

    Raises:
        CheckpointError: it is missing, its card cannot be read, or the file is not the one that the card describes.
    """
    weights, card = FOLDER / f"{NAME}.npz", FOLDER / f"{NAME}.json"
    for path in (weights, card):
        if not path.is_file():
            raise CheckpointError(
                f"checkpoint.source base: {path} is missing; make it as studies/base/README.md says, or set "
                "checkpoint.source to imagenet, zoo, none, or the path of a checkpoint"
            )
    try:
        content = json.loads(card.read_text(encoding="utf-8"))
        expected, origin, licence = (str(content[key]) for key in ("sha256", "origin", "licence"))
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{card}: not the card that studies/base packs: {error!r}; restore it from git"
        ) from error
    sha256 = sha256_of(weights)
    if sha256 != expected:
        raise CheckpointError(
            f"{weights}: its SHA-256 is {sha256}, but {card.name} says {expected}; restore both from git, or copy both "
            "from studies/base/packed"
        )
    return ShippedBase(read_packed(weights), f"weights/{NAME}.npz, {origin}", sha256, licence)
