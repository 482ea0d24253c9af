"""study.yaml, typed, as tasks/params/__init__.py has params.yaml."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from studies.reading import Name, read_section
from tasks.params.value_types import Positive, Section, Seed


class ModelArm(Section):
    """A model, and what it starts from: the project's base, or what it has learned from generated scenes.

    Attributes:
        train: values of its runs that differ from studies/params.yaml and from the study's own steps.
    """

    name: str
    start: Literal["base", "scenes"]
    train: Annotated[dict[str, object], Field(default_factory=dict)]


class SceneTraining(Section):
    """How a model whose base is a backbone learns from scenes: how many, for how long, and at what size of its input.

    Convolutions know no size: a quarter of the pixels takes a quarter of the time.
    """

    count: Positive
    steps: Positive
    side_px: Annotated[int, Field(ge=64)]


class StudyParams(Section):
    """What is compared, on which data, and how often.

    Attributes:
        data: the folder of annotations and photographs.
        models, arms: by name; an arm is a value of `train.freeze`.
        seeds: of new layers, order and augmentation.
        steps, eval_every: of every run, as in `train`, unless its model has values of its own.
        timing_steps: of the runs that measure a step without the cache.
        scenes: how a model whose base is a backbone learns.
    """

    data: Path
    models: Annotated[dict[Name, ModelArm], Field(min_length=1)]
    arms: Annotated[dict[Name, str | int], Field(min_length=1)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    steps: Positive
    eval_every: Positive
    timing_steps: Positive
    scenes: SceneTraining

    def training(self, model: str) -> dict[str, object]:
        """The values of section `train` that the runs of a model change, without arm and seed."""
        return {"steps": self.steps, "eval_every": self.eval_every, **self.models[model].train}


def read_study_params(path: Path) -> StudyParams:
    """The content of study.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, StudyParams)
