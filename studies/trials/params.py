"""trials.yaml, typed, as tasks/params.py has params.yaml."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from studies.reading import read_section
from tasks.params import Positive, Section, Seed

Name = Annotated[str, Field(pattern=r"^[a-z0-9_.]+$")]


class TrialsParams(Section):
    """What is compared, on what, and how often.

    Attributes:
        data: the folder of each data set.
        arms: what each says differently from studies/params.yaml, section by section; the first is what the table
            compares the others with.
        steps, seeds: lengths of training, and the seed of new layers, order and augmentation.
        scored_on: `val` where the runs are there to choose by, else `test`.
    """

    data: dict[Name, Path]
    arms: Annotated[dict[Name, dict[str, dict[str, Any]]], Field(min_length=1)]
    steps: Annotated[list[Positive], Field(min_length=1)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    scored_on: Literal["val", "test"]


def read_trials_params(path: Path) -> TrialsParams:
    """The content of a trials.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, TrialsParams)
