"""What the train stage writes beside its checkpoints: metrics/train.json, and restore.json and freeze.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact
from tasks.artifacts.recipe import RecipeUse

_STAGE = "train"
_RESTORE = "restore.json"
_FREEZE = ("freeze.json", "freeze_second_phase.json")

# What ends training: the last step, validations without a gain, or the time that it may take.
StopReason = Literal["steps", "patience", "max_minutes"]


class VariableCounts(Artifact):
    """How many variables of a component train, and how many are frozen."""

    trainable: int
    frozen: int


class EstimateFigures(Artifact):
    """How long the training was expected to take, and how long it took.

    Attributes:
        seconds: estimated before the last process's first step.
        took_s: from then on to the end of the last step and its validation.
    """

    seconds: float
    took_s: float


class PhaseFigures(Artifact):
    """One phase of a training that had two.

    Attributes:
        steps: taken in it.
        freeze, learning_rate: as the params say.
        trainable_variables, frozen_variables, frozen_max_abs_change, frozen_statistics_max_abs_change: as those of
            `TrainingFigures`; the changes are those within the phase.
    """

    steps: int
    freeze: str | int | list[str]
    learning_rate: float
    trainable_variables: int
    frozen_variables: int
    frozen_max_abs_change: float
    frozen_statistics_max_abs_change: float


class TrainingFigures(Artifact):
    """The figures of one training run.

    Attributes:
        steps: steps taken.
        stopped_by: what ended the run.
        best_step: the step of the checkpoint that is exported.
        best_mAP: its mAP on the validation images, in 0..1; None where there are none.
        loss: the mean over the last steps.
        step_ms_median: milliseconds a step, waiting for its batch included.
        images_per_s: at that pace.
        clipped_steps: steps whose gradient was longer than `train.clip_norm`.
        seconds: of training, over all processes of the run, validations included.
        startup_s: from the start of the last process to its first step, and between phases.
        waiting_s, validating_s: how much of `seconds` went into waiting for batches, and into validations.
        peak_memory_mb: the most memory of the process, in 10^6 bytes.
        peak_gpu_memory_mb: the most memory of its GPU; None, and no key in the file, without a GPU.
        batch_size: images a step.
        trainable_variables: variables that gradients are taken over; with two phases, in the first.
        frozen_variables: variables that are held still, the moving statistics of BatchNorm included; with two phases,
            in the first.
        frozen_max_abs_change: the largest change of any frozen weight, of each phase within it; 0 where freezing held.
        frozen_statistics_max_abs_change: the same of frozen moving statistics.
        modules: by component of the network; with two phases, in the first.
        recipe: `train.recipe` and what it gave.
        estimate: how long it was expected to take; None, and no key in the file, of a run that is over at once.
        phases: of a training with two; None, and no key in the file, of one with one.
    """

    steps: int
    stopped_by: StopReason
    best_step: int
    best_mAP: float | None  # noqa: N815 - the metric's name
    loss: float
    step_ms_median: float
    images_per_s: float
    clipped_steps: int
    seconds: float
    startup_s: float
    waiting_s: float
    validating_s: float
    peak_memory_mb: float
    peak_gpu_memory_mb: float | None = Field(default=None, exclude_if=lambda peak: peak is None)
    batch_size: int
    trainable_variables: int
    frozen_variables: int
    frozen_max_abs_change: float
    frozen_statistics_max_abs_change: float
    modules: dict[str, VariableCounts]
    recipe: RecipeUse | None = Field(default=None, exclude_if=lambda recipe: recipe is None)
    estimate: EstimateFigures | None = Field(default=None, exclude_if=lambda estimate: estimate is None)
    phases: list[PhaseFigures] | None = Field(default=None, exclude_if=lambda phases: phases is None)

    @property
    def border(self) -> int | None:
        """The last step of the first of two phases."""
        return self.phases[0].steps if self.phases else None


class RestoredComponent(Artifact):
    """How many variables of a component the base filled.

    Attributes:
        module: the component's name.
        variables: all that it has.
        restored: filled by the base.
        new: missing in the base.
        mismatched: in the base, but of another shape or for other classes.
    """

    module: str
    variables: int
    restored: int
    new: int
    mismatched: int


class RestoreSummary(Artifact):
    """Which of a network's variables the base filled.

    Attributes:
        source: what the weights are, in words.
        modules: a row for each component.
        mismatched: `key: why the value in the base was not used`, sorted.
        left_over: variables of the base that the network does not have, sorted.
        kept_classes: label -> the base's class whose rows of the class head it starts from.
        new_classes: labels whose rows start new, where the base's others were kept.
    """

    source: str
    modules: list[RestoredComponent]
    mismatched: list[str]
    left_over: list[str]
    kept_classes: dict[str, str] = Field(default_factory=dict, exclude_if=lambda classes: not classes)
    new_classes: list[str] = Field(default_factory=list, exclude_if=lambda classes: not classes)

    @property
    def class_rows(self) -> str:
        """What of the class head was kept by name, in words; empty where nothing was."""
        return class_rows_in_words(self.kept_classes, self.new_classes)

    @property
    def total(self) -> RestoredComponent:
        """The sums over all components."""
        rows = self.modules
        return RestoredComponent(
            module="all",
            variables=sum(row.variables for row in rows),
            restored=sum(row.restored for row in rows),
            new=sum(row.new for row in rows),
            mismatched=sum(row.mismatched for row in rows),
        )


def class_rows_in_words(kept: Mapping[str, str], new: Sequence[str]) -> str:
    """Which rows of a class head start from a base's: `rows of Person kept by name; Helmet new`; empty if none."""
    if not kept:
        return ""
    names = (label if label == name else f"{label} (from {name})" for label, name in kept.items())
    return f"rows of {', '.join(names)} kept by name" + (f"; {', '.join(new)} new" if new else "")


class ModuleAudit(Artifact):
    """What training did to the variables of one module: a backbone block, or another component of the network.

    Attributes:
        module: `backbone block 3`, `feature_maps`, `tower`, `box_head`, `class_head`.
        parameters: numbers in it.
        frozen_parameters: those of them that were held still.
        trained, frozen: variables; the moving statistics of BatchNorm count where they are frozen.
        unchanged: trained variables of which no number changed: the loss does not depend on them.
        trained_max_abs_change, frozen_max_abs_change, frozen_statistics_max_abs_change: since before the first step.
    """

    module: str
    parameters: int
    frozen_parameters: int
    trained: int
    frozen: int
    unchanged: int
    trained_max_abs_change: float
    frozen_max_abs_change: float
    frozen_statistics_max_abs_change: float


def write_training_figures(path: Path, figures: TrainingFigures) -> None:
    """Write metrics/train.json, which is `path`."""
    write_artifact(path, figures)


def read_training_figures(path: Path) -> TrainingFigures:
    """The figures that `write_training_figures` wrote.

    Raises:
        DataError, FormatError: as `read_artifact`.
    """
    return read_artifact(path, TrainingFigures, _STAGE)


def write_restore_summary(trained: Path, summary: RestoreSummary) -> None:
    """Write restore.json into the folder `trained`."""
    write_artifact(trained / _RESTORE, summary)


def read_restore_summary(trained: Path) -> RestoreSummary | None:
    """The summary in the folder `trained`; None where the file is missing.

    Raises:
        FormatError: as `read_artifact`.
    """
    path = trained / _RESTORE
    return read_artifact(path, RestoreSummary, _STAGE) if path.is_file() else None


def write_freeze_audits(trained: Path, audits: Sequence[Sequence[ModuleAudit]]) -> None:
    """Write freeze.json into the folder `trained`, and freeze_second_phase.json of a second phase.

    Each has a row for each module.
    """
    for name, modules in zip(_FREEZE, audits, strict=False):
        write_artifact(trained / name, list(modules))


def read_freeze_audits(trained: Path) -> list[list[ModuleAudit]]:
    """The rows in the folder `trained`, from the image to the heads, of each phase that has a file.

    Raises:
        FormatError: as `read_artifact`.
    """
    paths = [trained / name for name in _FREEZE]
    return [read_artifact(path, list[ModuleAudit], _STAGE) for path in paths if path.is_file()]
