"""What `review` writes: the suspects it found, and the labels that a person looked at and kept.

review.json is a list of suspects, the most probable first. review_kept.json names kept labels by the content of their
image, so that they stay known wherever the image moves; the page of `review` saves a file of the same form.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import Field, TypeAdapter, ValidationError

from tasks.artifacts.artifact import Artifact, Text, write_artifact
from tasks.errors import DataError, FormatError
from tasks.ground.files import read_json

T = TypeVar("T")

SuspectKind = Literal["missing_box", "wrong_class", "misplaced_box", "box_on_nothing", "duplicate_box"]
KINDS: tuple[SuspectKind, ...] = get_args(SuspectKind)

SUSPECTS, KEPT = "review.json", "review_kept.json"
_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# Larger than any image's side, in pixels.
_MOST_PX = 1_000_000_000
_Pixel = Annotated[int, Field(ge=-_MOST_PX, le=_MOST_PX)]
_Side = Annotated[float, Field(ge=-_MOST_PX, le=_MOST_PX)]
_Box = tuple[_Side, _Side, _Side, _Side]


class FoundSuspect(Artifact):
    """A label that is probably wrong, or a thing without one.

    Attributes:
        image: its file name, relative to the folder of the images.
        sha256: of its content.
        kind: what is probably wrong.
        class_, box: of the label; of what is seen, for a missing one. XYXY_ABS in pixels of the image as stored.
        score: how probable the mistake is, in 0..1.
        seen_class, seen_box: what is seen instead; null for nothing.
        sentence: the same in words.
    """

    image: Text
    sha256: _Sha256
    kind: SuspectKind
    class_: Text = Field(alias="class")
    box: _Box
    score: Annotated[float, Field(ge=0.0, le=1.0)]
    seen_class: Text | None
    seen_box: _Box | None
    sentence: Text


class KeptLabel(Artifact):
    """A suspect that a person has looked at: the label is right, or nothing is missing.

    Attributes:
        image: the SHA-256 of its content.
        kind, class_: of the suspect.
        box: of the suspect, XYXY_ABS, rounded to pixels of the image as stored.
    """

    image: _Sha256
    kind: SuspectKind
    class_: Text = Field(alias="class")
    box: tuple[_Pixel, _Pixel, _Pixel, _Pixel]


class _KeptFile(Artifact):
    kept: list[KeptLabel]


def read_suspects(folder: Path) -> list[FoundSuspect]:
    """The suspects that `review` wrote into `folder`, the most probable first.

    Raises:
        DataError: there is no such file.
        FormatError: it is not what `review` writes.
    """
    path = folder / SUSPECTS
    if not path.is_file():
        raise DataError(f"{path}: no such file; `python -m tasks review` writes it")
    return _read(path, list[FoundSuspect], "what `python -m tasks review` writes", "run that again")


def write_suspects(suspects: Sequence[FoundSuspect], folder: Path) -> None:
    """Write `suspects` into `folder`, in their order."""
    write_artifact(folder / SUSPECTS, list(suspects))


def read_kept(path: Path) -> list[KeptLabel]:
    """The labels that were kept, none where the file is missing.

    Raises:
        FormatError: it is no such file.
    """
    if not path.exists():
        return []
    remedy = "restore it, or remove it to be shown all suspects again"
    return _read(path, _KeptFile, "labels that were kept, as the page of `review` saves them", remedy).kept


def write_kept(kept: Iterable[KeptLabel], path: Path) -> None:
    """Write `kept`, each once and sorted, so that added ones make a short diff."""
    entries = {entry.model_dump_json(by_alias=True): entry for entry in kept}
    write_artifact(path, _KeptFile(kept=[entries[key] for key in sorted(entries)]))


def _read(path: Path, expected: type[T], what: str, remedy: str) -> T:
    content = read_json(path, what)
    try:
        return TypeAdapter(expected).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its content"
        raise FormatError(f"{path}: not {what}: {where}: {first['msg']}; {remedy}") from error
