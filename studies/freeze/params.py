"""study.yaml, typed, as tasks/params.py has params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from studies.reading import read_section
from studies.trials.params import Name
from tasks.params import Positive, Section, Seed


class ModelArm(Section):
    """A model, and what it starts from: the project's base, or what it has learned from generated scenes."""

    name: str
    start: Literal["base", "scenes"]


class SceneTraining(Section):
    """How many scenes a model without weights learns from, and for how long."""

    count: Positive
    steps: Positive


class StudyParams(Section):
    """What is compared, on what, and how often.

    Attributes:
        data: the folder of annotations and photographs.
        models, arms: by name; an arm is a value of `train.freeze`.
        seeds: of new layers, order and augmentation.
        steps, eval_every: of every run, as in `train`.
        timing_steps: of the runs that measure a step without the cache.
        scenes: what a model without weights starts from.
    """

    data: Path
    models: Annotated[dict[Name, ModelArm], Field(min_length=1)]
    arms: Annotated[dict[Name, str | int], Field(min_length=1)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    steps: Positive
    eval_every: Positive
    timing_steps: Positive
    scenes: SceneTraining


def read_study_params(path: Path) -> StudyParams:
    """The content of study.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, StudyParams)
