"""suggest.json, which `suggest` writes and `annotate --only` reads: which photos of a folder to label next."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from tasks.artifacts.artifact import Artifact, write_artifact
from tasks.errors import DataError, FormatError
from tasks.ground.files import read_json

SUGGESTIONS_FILE = "suggest.json"
_REMEDY = "run `python -m tasks suggest FOLDER` again"

Reason = Literal["unsure", "unlike", "random"]
WhyLeftOut = Literal["labelled", "like_labelled", "unreadable", "video"]

# What each reason means, in words that follow the photo's name.
REASON_WORDS: Mapping[Reason, str] = {
    "unsure": "the model is unsure of what it finds here",
    "unlike": "unlike all photos that are labelled or ranked before",
    "random": "drawn at random, to judge the others by",
}
# In words that a count follows.
LEFT_OUT_WORDS: Mapping[WhyLeftOut, str] = {
    "labelled": "labelled already",
    "like_labelled": "near-duplicates of labelled ones",
    "unreadable": "unreadable",
    "video": "videos",
}


class Suggestion(Artifact):
    """One photo.

    Attributes:
        rank: from 1.
        image: relative to the folder, with forward slashes.
        reason: what it was chosen for.
        uncertainty: as `photo_uncertainty` gives it; 0 where nothing was found.
        distance: to the nearest labelled photo, 0 (the same) to 2, in what the photos show.
        nearest: the nearest labelled photo, as its annotations name it.
    """

    rank: int = Field(ge=1)
    image: str
    reason: Reason
    uncertainty: float = Field(ge=0.0)
    distance: float = Field(ge=0.0)
    nearest: str


class LeftOut(Artifact):
    """A photo that was no candidate; `detail`: the labelled photo, or what is wrong with the file."""

    image: str
    why: WhyLeftOut
    detail: str = ""


class Suggestions(Artifact):
    """What was suggested, and from what.

    Attributes:
        folder: as it was given.
        model: as it was given.
        model_checksum: of what the uncertainties are of.
        count, random_share, seed: as asked.
        labelled: how many labelled photos the candidates were compared with.
        candidates: how many photos there were to choose from.
        photos: the chosen ones, in the order to label them.
        left_out: what was no candidate.
    """

    folder: str
    model: str
    model_checksum: str
    count: int
    random_share: float
    seed: int
    labelled: int
    candidates: int
    photos: list[Suggestion]
    left_out: list[LeftOut]


def read_suggestions(path: Path) -> Suggestions:
    """The content of `path`.

    Raises:
        DataError: there is no such file.
        FormatError: it is not what `suggest` writes; the message names the first key that is wrong.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; {_REMEDY}")
    try:
        return Suggestions.model_validate(read_json(path, "what `suggest` writes"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its content"
        raise FormatError(f"{path}: not what `suggest` writes: {where}: {first['msg']}; {_REMEDY}") from error


def write_suggestions(path: Path, suggestions: Suggestions) -> None:
    """Write them."""
    write_artifact(path, suggestions)
