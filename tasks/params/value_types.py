"""Types of values in params.yaml and in the studies' files: their limits, and how a faulty one is named."""

import re
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

# Begins the tag of a type in a union, which Pydantic puts among the keys where it names a fault.
UNION_TAG = "|"
_WORD, _BLOCKS, _PATTERNS, _OFF, _PHASE = (UNION_TAG + name for name in ("word", "blocks", "patterns", "off", "phase"))
_NAME, _NAMES = (UNION_TAG + name for name in ("name", "names"))

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


def _kind_of_columns(value: object) -> str:
    return _NAMES if isinstance(value, list) else _NAME


# One column, or several.
ColumnNames = Annotated[
    Annotated[str, Tag(_NAME)] | Annotated[list[str], Field(min_length=1), Tag(_NAMES)], Discriminator(_kind_of_columns)
]
NamedPath = Annotated[Path, BeforeValidator(_refuse_empty_path)]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_check_pattern)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
SidePx = Annotated[int, AfterValidator(_check_side_px)]


class Section(BaseModel):
    """A section of such a file: a misspelt key is an error, as is a number without end; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_FreezeWord = Literal["auto", "none", "backbone", "heads-only"]


def _kind_of_freeze(value: object) -> str | None:
    if isinstance(value, str):
        return _WORD if value in get_args(_FreezeWord) else None
    if isinstance(value, list):
        return _PATTERNS
    # `true`, a number to Python, would be one block.
    return _BLOCKS if isinstance(value, int | float) and not isinstance(value, bool) else None


Freeze = Annotated[
    Annotated[_FreezeWord, Tag(_WORD)]
    | Annotated[Positive, Tag(_BLOCKS)]
    | Annotated[list[Pattern], Field(min_length=1), Tag(_PATTERNS)],
    Discriminator(
        _kind_of_freeze,
        custom_error_type="freeze",
        custom_error_message=(
            "Input should be auto, none, backbone, heads-only, a number of blocks, or a list of regular expressions"
        ),
    ),
]


class SecondPhaseParams(Section):
    """What follows the first `train.steps` steps."""

    steps: Positive
    freeze: Freeze
    learning_rate: Annotated[float, Field(gt=0.0)]


def _kind_of_second_phase(value: object) -> str | None:
    if value == "off":
        return _OFF
    return _PHASE if isinstance(value, dict | SecondPhaseParams) else None


SecondPhase = Annotated[
    Annotated[Literal["off"], Tag(_OFF)] | Annotated[SecondPhaseParams, Tag(_PHASE)],
    Discriminator(
        _kind_of_second_phase,
        custom_error_type="second_phase",
        custom_error_message="Input should be off, or {steps: 600, freeze: none, learning_rate: 0.0001}",
    ),
    BeforeValidator(false_as_off),
]
