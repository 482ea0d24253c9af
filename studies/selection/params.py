"""trials.yaml of this study, typed."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from studies.reading import Name, read_section
from tasks.params.value_types import Fraction, Positive, Section, Seed


class SelectionParams(Section):
    """What is compared, on which data, and how often.

    Attributes:
        data: the folder of each data set.
        methods: the share of photos that each draws at random; the others are compared with 1, all by lot.
        start: how many labelled photos, drawn at random, all methods of a seed begin with.
        step: how many are labelled in a round.
        most: how many are labelled at the end.
        seeds: of the start, of what is drawn, of new layers, order and augmentation.
        changes: the values of each training that differ from studies/params.yaml, section by section.
    """

    data: dict[Name, Path]
    methods: Annotated[dict[Name, Fraction], Field(min_length=1)]
    start: Positive
    step: Positive
    most: Positive
    seeds: Annotated[list[Seed], Field(min_length=1)]
    changes: dict[str, dict[str, object]]

    @model_validator(mode="after")
    def _end_at_a_whole_round(self) -> "SelectionParams":
        if self.most < self.start or (self.most - self.start) % self.step:
            raise ValueError(f"from start {self.start}, rounds of {self.step} do not end at most: {self.most}")
        return self

    @property
    def sizes(self) -> list[int]:
        """How many photos are labelled in each round."""
        return list(range(self.start, self.most + 1, self.step))


def read_selection_params(path: Path) -> SelectionParams:
    """The content of a trials.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, SelectionParams)
