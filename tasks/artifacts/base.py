"""The folder models/base, which the checkpoint stage writes: the weights that training starts from, and base.json.

The description's `kind` says which files there are: `tf_checkpoint` (a detector: `checkpoint/ckpt-0.*`), `saved_model`
(a detector's variables: `variables/variables.*`), `weights` (arrays: `weights.npz`, named `<keras layer>/<weight>` or
by checkpoint key) or `none`. The label map of the classes that the weights were trained for lies beside them, where the
source has one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact
from tasks.artifacts.npz import read_npz
from tasks.errors import CheckpointError, DataError
from tasks.ground.stage_files import restored_by

DESCRIPTION = Path("base.json")
CHECKPOINT = Path("checkpoint/ckpt-0")
SAVED_MODEL = Path("variables/variables")
ARRAYS = Path("weights.npz")
LABEL_MAP = Path("label_map.pbtxt")

BaseKind = Literal["tf_checkpoint", "saved_model", "weights", "none"]


class BaseDescription(Artifact):
    """What the weights in models/base are.

    Attributes:
        kind: which files hold them.
        model: `model.name` as it was when the weights were taken.
        source: `checkpoint.source`.
        origin: where they come from, in words.
        sha256: of the file or the checkpoint that they come from; None where there is none.
        licence: None where it is not known.
        fallback: why they are not what `source` names; None where they are.
        class_names: `checkpoint.class_names`: a label of the data -> the class of these weights that it starts from.
    """

    kind: BaseKind
    model: str
    source: str
    origin: str
    sha256: str | None
    licence: str | None
    fallback: str | None = Field(default=None, exclude_if=lambda reason: reason is None)
    class_names: dict[str, str] = Field(default_factory=dict, exclude_if=lambda names: not names)


def read_base_description(base: Path) -> BaseDescription:
    """The content of base.json in the folder `base`.

    Raises:
        CheckpointError: the file is missing, or is not what the checkpoint stage writes.
    """
    try:
        return read_artifact(base / DESCRIPTION, BaseDescription, "checkpoint")
    except DataError as error:
        raise CheckpointError(str(error)) from error


def write_base_description(description: BaseDescription, base: Path) -> None:
    """Write `description` into the folder `base`."""
    write_artifact(base / DESCRIPTION, description)


def write_arrays(arrays: Mapping[str, npt.NDArray[np.float32]], base: Path) -> None:
    """Write weights of the kind `weights` into the folder `base`, in the order of `arrays`."""
    by_name: dict[str, Any] = dict(arrays)
    np.savez(base / ARRAYS, **by_name)


def read_arrays(base: Path) -> dict[str, npt.NDArray[Any]]:
    """The weights of the kind `weights` in the folder `base`, by name. Every byte is read and its checksum compared.

    Raises:
        CheckpointError: the file is missing or damaged, or holds something else than numbers with a fraction.
    """
    return read_npz(base / ARRAYS)


def checkpoint_prefix(base: Path) -> Path:
    """The prefix of the TensorFlow checkpoint in the folder `base`, whose kind is `tf_checkpoint`.

    Raises:
        CheckpointError: the checkpoint is missing.
    """
    prefix = base / CHECKPOINT
    if not prefix.with_suffix(".index").is_file():
        raise CheckpointError(
            f"{prefix}.index: no such file, but {base / DESCRIPTION} promises it; {restored_by('checkpoint')}"
        )
    return prefix
