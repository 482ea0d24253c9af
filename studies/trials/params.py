"""trials.yaml, typed, as tasks/params/__init__.py has params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from studies.reading import Name, read_section
from tasks.params.value_types import Positive, Section, Seed


class TrialsParams(Section):
    """What is compared, on which data, and how often.

    Attributes:
        data: the folder of each data set.
        arms: the values of each that differ from studies/params.yaml, section by section; the table compares the others
            with the first.
        steps, seeds: lengths of training, and the seed of new layers, order and augmentation.
        scored_on: `val` where the runs are there to choose by, else `test`.
    """

    data: dict[Name, Path]
    arms: Annotated[dict[Name, dict[str, dict[str, object]]], Field(min_length=1)]
    steps: Annotated[list[Positive], Field(min_length=1)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    scored_on: Literal["val", "test"]


def read_trials_params(path: Path) -> TrialsParams:
    """The content of a trials.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, TrialsParams)
