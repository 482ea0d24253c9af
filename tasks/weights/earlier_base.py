"""Weights from an earlier result of the checkpoint stage, which has a base.json."""

import shutil
from pathlib import Path

from pydantic import ValidationError

from tasks.artifacts.base import ARRAYS, CHECKPOINT, DESCRIPTION, SAVED_MODEL, BaseDescription, read_arrays
from tasks.errors import CheckpointError, FormatError
from tasks.ground.files import read_small
from tasks.weights.request import WeightsRequest
from tasks.weights.tf_checkpoint import copy_checkpoint

_MAX_BYTES = 1_000_000
_PREFIX_OF_KIND = {"tf_checkpoint": CHECKPOINT, "saved_model": SAVED_MODEL}
_FILE_OF_KIND = {
    **{kind: prefix.with_suffix(".index") for kind, prefix in _PREFIX_OF_KIND.items()},
    "weights": ARRAYS,
    "none": DESCRIPTION,
}


def take_earlier_base(folder: Path, request: WeightsRequest, into: Path, *, shown_as: Path) -> BaseDescription:
    """Copy the weights of the base in `folder` into the folder `into`; its own description, with the new source.

    `shown_as` is the path that the user knows the folder by.

    Raises:
        CheckpointError: its description or its weights are damaged.
    """
    name = f"{shown_as} ({DESCRIPTION})"
    try:
        description = BaseDescription.model_validate_json(read_small(folder / DESCRIPTION, _MAX_BYTES, "base.json"))
    except FormatError as error:
        raise CheckpointError(f"{name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its content"
        raise CheckpointError(
            f"{name}: not what the checkpoint stage writes: {where}: {first['msg']:.80}; get the folder again"
        ) from error
    file = _FILE_OF_KIND[description.kind]
    if not (folder / file).is_file() or (folder / file).stat().st_size == 0:
        raise CheckpointError(f"{name}: promises {file}, which is missing or empty")
    if prefix := _PREFIX_OF_KIND.get(description.kind):
        copy_checkpoint(folder / prefix, into / prefix)
    elif description.kind == "weights":
        shutil.copyfile(folder / file, into / file)
        # Else the damage would show when training begins.
        read_arrays(into)
    return description.model_copy(update={"source": request.source})
