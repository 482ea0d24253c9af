"""trials.yaml, typed, as tasks/params/__init__.py has params.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from studies.reading import Name, read_section
from studies.stages import Changes, merged
from studies.trials.result import Trial
from tasks.params.value_types import Positive, Section, Seed


class TrialsParams(Section):
    """What is compared, on which data, and how often.

    Attributes:
        data: the folder of each data set.
        arms: the values of each that differ from studies/params.yaml, section by section; the table compares the others
            with the first.
        by_data: the same for each data set, where they differ; an arm's own values win.
        steps, seeds: lengths of training, and the seed of new layers, order and augmentation.
        scored_on: `val` where the runs are there to choose by, else `test`.
    """

    data: dict[Name, Path]
    arms: Annotated[dict[Name, dict[str, dict[str, object]]], Field(min_length=1)]
    by_data: dict[Name, dict[str, dict[str, object]]] = Field(default_factory=dict)
    steps: Annotated[list[Positive], Field(min_length=1)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    scored_on: Literal["val", "test"]

    @model_validator(mode="after")
    def _every_data_set_has_its_values(self) -> Self:
        # dvc.yaml names those of each data set as what its runs depend on.
        if self.by_data and self.by_data.keys() != self.data.keys():
            raise ValueError(f"by_data: expected {', '.join(self.data)}, each with {{}} where nothing differs")
        return self


def read_trials_params(path: Path) -> TrialsParams:
    """The content of a trials.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, TrialsParams)


def changes_of(trial: Trial, params: TrialsParams) -> Changes:
    """The values of studies/params.yaml that a run changes: its data set's, its arm's, its steps and its seed.

    Those of the arm win.
    """
    run = {"train": {"steps": trial.steps, "seed": trial.seed, "eval_every": trial.steps}}
    return merged(merged(run, params.by_data.get(trial.data, {})), params.arms[trial.arm])


def steps_of(trial: Trial, params: TrialsParams) -> int:
    """How many steps a run trains, both phases: an arm may have a number of its own.

    Of an arm that is no longer in trials.yaml, the number in the run's name.
    """
    if trial.arm not in params.arms:
        return trial.steps
    train = changes_of(trial, params)["train"]
    second = train.get("second_phase")
    phases = [train["steps"], second.get("steps") if isinstance(second, Mapping) else 0]
    return sum(steps for steps in phases if isinstance(steps, int))
