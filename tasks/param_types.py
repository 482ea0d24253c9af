"""Types of values in params.yaml and in the studies' files: their limits, and how a faulty one is named."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(ge=1)]
# Of an image's area or sides: less shows nothing.
Share = Annotated[float, Field(ge=0.01, le=1.0)]


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


def false_as_off(value: object) -> object:
    """YAML 1.1, which PyYAML reads, takes a plain `off` for false."""
    return "off" if value is False else value


def _refuse_empty_path(value: object) -> object:
    if value is None or value == "":
        raise ValueError("is empty: write a path; `.` is the folder that the pipeline runs in")
    return value


def _check_side_px(side_px: int) -> int:
    if side_px % 32 or not 256 <= side_px <= 1024:
        raise ValueError(
            f"{side_px} is not possible: null (the model's own size), or a multiple of 32 from 256 to 1024"
        )
    return side_px


NamedPath = Annotated[Path, BeforeValidator(_refuse_empty_path)]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_check_pattern)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
SidePx = Annotated[int, AfterValidator(_check_side_px)]


class Section(BaseModel):
    """A section of such a file: a misspelt key is an error, and values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
