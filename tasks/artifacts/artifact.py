"""What every artifact is: an immutable value with types, kept as JSON."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tasks.errors import DataError, FormatError
from tasks.ground.files import read_json, write_json

T = TypeVar("T")


class Artifact(BaseModel):
    """A JSON object. Keys that are not known are passed over, so that files of other versions can be compared."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, allow_inf_nan=False)


def read_artifact(path: Path, expected: type[T], stage: str) -> T:
    """The content of `path`, which `stage` writes, as a value of the type `expected`.

    Raises:
        DataError: there is no such file.
        FormatError: it is not JSON, or not what the stage writes; the message names the first key that is wrong.
    """
    try:
        content = read_json(require_file(path, stage), f"what the {stage} stage writes")
    except FormatError as error:
        raise FormatError(f"{error}; run `dvc repro`, which makes or restores it") from error
    try:
        return TypeAdapter(expected).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its content"
        raise FormatError(
            f"{path}: not what the {stage} stage writes: {where}: {first['msg']}; run `dvc repro`, which makes or "
            "restores it"
        ) from error


def require_file(path: Path, stage: str) -> Path:
    """`path`, which `stage` writes.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; run `dvc repro`, which runs the stage that writes it ({stage})")
    return path


def write_artifact(path: Path, value: object) -> None:
    """Write `value`, an artifact or a list of them, as JSON with sorted keys."""
    write_json(path, TypeAdapter(type(value)).dump_python(value, mode="json", by_alias=True))
