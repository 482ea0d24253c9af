"""What every artifact is: an immutable value with types, kept as JSON."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from tasks.errors import FormatError
from tasks.ground.files import read_json, write_json
from tasks.ground.stage_files import require_file, restored_by, written_by

T = TypeVar("T")


def _as_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a character, which no file can hold") from None
    return text


# Of a file that strangers made: JSON can name halves of characters, which cannot be written again.
Text = Annotated[str, AfterValidator(_as_utf8)]


class Artifact(BaseModel):
    """A JSON object. Keys that are not known are passed over, so that files of other versions can be compared."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, allow_inf_nan=False)


def read_artifact(path: Path, expected: type[T], stage: str) -> T:
    """The content of `path`, which `stage` writes, as a value of the type `expected`.

    Raises:
        DataError: there is no such file.
        FormatError: it is not JSON, or not what the stage writes; the message names the first key that is wrong.
    """
    with written_by(stage):
        content = read_json(require_file(path, stage), f"what the {stage} stage writes")
    try:
        return TypeAdapter(expected).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its content"
        raise FormatError(
            f"{path}: not what the {stage} stage writes: {where}: {first['msg']}; {restored_by(stage)}"
        ) from error


def write_artifact(path: Path, value: object) -> None:
    """Write `value`, an artifact or a list of them, as JSON with sorted keys."""
    write_json(path, TypeAdapter(type(value)).dump_python(value, mode="json", by_alias=True))
