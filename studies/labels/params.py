"""trials.yaml of this study, typed."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from studies.reading import Name, read_section
from tasks.params.value_types import Fraction, Positive, Section, Seed


class LabelsParams(Section):
    """Where mistakes are planted, how many, and how they are looked for.

    Attributes:
        data: the folder of each data set.
        share: of all labels, that get a mistake.
        seeds: of what is planted.
        folds, steps: of the review: how many trainings, and how long each.
        changes: the values that differ from studies/params.yaml, section by section.
    """

    data: dict[Name, Path]
    share: Fraction
    seeds: Annotated[list[Seed], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)]
    steps: Positive
    changes: dict[str, dict[str, object]]


def read_labels_params(path: Path) -> LabelsParams:
    """The content of a trials.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, LabelsParams)
