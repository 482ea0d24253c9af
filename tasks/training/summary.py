"""A run in figures and in words: what it starts with, and when it has ended, its figures and what limited it."""

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tasks.artifacts.recipe import recipe_use
from tasks.artifacts.training import EstimateFigures, ModuleAudit, TrainingFigures, VariableCounts
from tasks.detector.architectures.components import COMPONENTS
from tasks.detector.restore import RestoreResult
from tasks.ground.text import print_text
from tasks.model.schedule import total_steps
from tasks.training.progress import Progress

if TYPE_CHECKING:
    from tasks.params import TrainParams
    from tasks.training.phases import PhaseAudit

# The final loss is the mean of so many steps: the loss of one batch varies.
_LAST_STEPS = 20
_MOST = 0.5
_NAMES_SHOWN = 3


def training_figures(
    progress: Progress,
    params: "TrainParams",
    audits: "Sequence[PhaseAudit]",
    *,
    startup_s: float,
    peak_memory_mb: float,
    peak_gpu_memory_mb: float | None,
    estimate: EstimateFigures | None = None,
) -> TrainingFigures:
    """The figures of a run that has ended.

    Args:
        progress: how far it came.
        params: what it was asked.
        audits: of its phases.
        startup_s: from the start of this process to its first step, and between phases.
        peak_memory_mb: the most memory that this process held, in 10^6 bytes.
        peak_gpu_memory_mb: the most that its tensors held on a GPU; None without one.
        estimate: how long it was expected to take, and took; None where nothing was expected.

    Raises:
        ValueError: the run has not ended.
    """
    if progress.stopped_by is None:
        raise ValueError("the run has not ended")
    steps, modules = progress.steps, audits[0].modules
    step_ms = statistics.median(row.step_ms for row in steps)
    phases = [each.figures(progress.step) for each in audits]
    return TrainingFigures(
        steps=progress.step,
        stopped_by=progress.stopped_by,
        best_step=progress.best_step or progress.step,
        best_mAP=progress.best_score if progress.best_step else None,
        loss=statistics.fmean(row.loss for row in steps[-_LAST_STEPS:]),
        step_ms_median=step_ms,
        images_per_s=params.batch_size / step_ms * 1000,
        clipped_steps=sum(row.gradient_norm > params.clip_norm for row in steps),
        seconds=progress.seconds,
        startup_s=startup_s,
        waiting_s=progress.waiting_s,
        validating_s=progress.validating_s,
        peak_memory_mb=peak_memory_mb,
        peak_gpu_memory_mb=peak_gpu_memory_mb,
        batch_size=params.batch_size,
        trainable_variables=sum(row.trained for row in modules),
        frozen_variables=sum(row.frozen for row in modules),
        frozen_max_abs_change=max(phase.frozen_max_abs_change for phase in phases),
        frozen_statistics_max_abs_change=max(phase.frozen_statistics_max_abs_change for phase in phases),
        recipe=recipe_use(params),
        estimate=estimate,
        phases=phases if len(phases) > 1 else None,
        modules={component: _variable_counts(modules, component) for component in COMPONENTS},
    )


def print_auto_freeze(freeze: int | Literal["none"], param: str) -> None:
    """Print what `auto` freezes; `param` is where params.yaml has it."""
    if freeze == "none":
        choice = "nothing, for no checkpoint filled the backbone's first blocks, or its blocks are not known"
    else:
        choice = f"the first {freeze} blocks of the backbone; {param}: none lets all of it learn"
    print(f"train: {param} auto freezes {choice}")


def print_restored(restored: RestoreResult) -> None:
    """Print what was restored, and what of the weights was not used."""
    components = ", ".join(f"{row.module} {row.restored}/{row.variables}" for row in restored.summary().modules)
    print(f"train: restored from {restored.source}: {components} variables")
    if rows := restored.summary().class_rows:
        print_text(f"train: class head: {rows}")
    if restored.left_over:
        names = ", ".join(sorted(restored.left_over)[:_NAMES_SHOWN])
        more = ", ..." if len(restored.left_over) > _NAMES_SHOWN else ""
        print_text(f"train: {len(restored.left_over)} variables of these weights are not in the model: {names}{more}")


def print_frozen(modules: Sequence[ModuleAudit]) -> None:
    """Print by module what is frozen."""
    print(
        f"train: {sum(row.frozen for row in modules)} variables are frozen, {sum(row.trained for row in modules)} train"
    )
    print(f"  {'module':<20}{'parameters':>12}{'frozen':>12}  variables")
    for row in modules:
        counts = "frozen" if row.frozen and not row.trained else f"{row.trained} trained, {row.frozen} frozen"
        print(f"  {row.module:<20}{row.parameters:>12,}{row.frozen_parameters:>12,}  {counts}")


def print_end(figures: TrainingFigures, params: "TrainParams", *, cached: bool, on_gpu: bool) -> None:
    """Print what ended the run, if not its last step, and what limited it."""
    if figures.stopped_by != "steps":
        remedy = f"train.steps {figures.steps}" if params.second_phase == "off" else "fewer steps in each phase"
        print(
            f"train: stopped by train.{figures.stopped_by} after step {figures.steps} of {total_steps(params)}, before "
            f"the learning rate had fallen to 0; with {remedy} it falls to 0"
        )
    print(f"train: {what_limited(figures, params.freeze, cached=cached, on_gpu=on_gpu)}")


def what_limited(figures: TrainingFigures, freeze: int | str | Sequence[str], *, cached: bool, on_gpu: bool) -> str:
    """One sentence: where the time went, and what would save most of it."""
    seconds = {
        "computing the steps": figures.seconds - figures.waiting_s - figures.validating_s,
        "waiting for images": figures.waiting_s,
        "validations": figures.validating_s,
        "getting started": figures.startup_s,
    }
    total = sum(seconds.values()) or 1.0
    longest = max(seconds, key=lambda name: seconds[name])
    advice = {
        "computing the steps": _fewer_computations(
            freeze, frozen=figures.frozen_variables > 0, cached=cached, on_gpu=on_gpu
        ),
        "waiting for images": "records.max_side_px stores large photos smaller, which decodes faster",
        "validations": "a larger train.eval_every validates less often",
        "getting started": "a longer run takes little more time",
    }[longest]
    shares = ", ".join(f"{name} {share / total:.0%}" for name, share in seconds.items())
    return (
        f"of {total:.0f} s: {shares}; {longest} took {'most' if seconds[longest] > _MOST * total else 'longest'}: "
        f"{advice}"
    )


def _fewer_computations(freeze: int | str | Sequence[str], *, frozen: bool, cached: bool, on_gpu: bool) -> str:
    if not on_gpu:
        if not frozen and freeze == "auto":  # nothing could be frozen
            return "a GPU makes steps shorter, or weights to start from (checkpoint.source): auto freezes their blocks"
        if not frozen:
            return "a GPU, or train.freeze: 8, whose frozen layers are computed only once, makes steps shorter"
        if not cached:
            return "a GPU, or keeping the frozen layers' outputs (train.cache.use: memory), makes steps shorter"
        return "a GPU makes steps shorter, or a smaller model.side_px"
    return "more GPUs, a smaller model.side_px, or freezing more of it makes steps shorter"


def _variable_counts(modules: Sequence[ModuleAudit], component: str) -> VariableCounts:
    rows = [row for row in modules if row.module.split()[0] == component]
    return VariableCounts(trainable=sum(row.trained for row in rows), frozen=sum(row.frozen for row in rows))
