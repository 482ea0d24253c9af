"""A training of one phase, or of two: each with its own frozen layers, feed and schedule, on the same network.

A run that was killed in the second phase goes on there: the weights that the first phase ended with are kept beside its
states, so that the freezing of both phases is checked against their own first values.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tasks.artifacts.training import ModuleAudit, PhaseFigures
from tasks.ground.process import seconds_since_start
from tasks.model.schedule import Phase
from tasks.training.estimate import Estimator
from tasks.training.freeze import audit, refuse_moved
from tasks.training.preparation import PreparedRun, frozen_in, prepare_next_phase
from tasks.training.progress import Progress, RowListener, Validate
from tasks.training.replicas import Replicas
from tasks.training.resume import ResumeFolder


class PhaseAudit(NamedTuple):
    """A phase that has ended, and what it did to each module; `cached`: whether it learned from kept features."""

    phase: Phase
    modules: list[ModuleAudit]
    cached: bool = False

    def figures(self, steps: int) -> PhaseFigures:
        """Its part of metrics/train.json; `steps` are those taken in all."""
        rows, params = self.modules, self.phase.params
        return PhaseFigures(
            steps=min(steps, self.phase.last) - self.phase.first,
            freeze=params.freeze if isinstance(params.freeze, str | int) else list(params.freeze),
            learning_rate=params.learning_rate,
            trainable_variables=sum(row.trained for row in rows),
            frozen_variables=sum(row.frozen for row in rows),
            frozen_max_abs_change=max(row.frozen_max_abs_change for row in rows),
            frozen_statistics_max_abs_change=max(row.frozen_statistics_max_abs_change for row in rows),
        )


class TrainedPhases(NamedTuple):
    """All phases, trained.

    Attributes:
        run: the last of them.
        audits: one for each phase before it.
        startup_s: seconds from the start of this process to the first step, and between the phases.
    """

    run: PreparedRun
    audits: list[PhaseAudit]
    startup_s: float


def train_phases(
    run: PreparedRun,
    phases: Sequence[Phase],
    folder: ResumeFolder,
    progress: Progress,
    replicas: Replicas,
    *,
    images: int,
    batches_of: Callable[[PreparedRun, int], Any],
    listener: RowListener,
    validate: Validate,
    estimator: Estimator | None = None,
) -> TrainedPhases:
    """Train from `progress.step` on to the end of the last phase, or until patience or time have run out.

    Args:
        run: the first of `phases`, prepared.
        phases: in their order.
        folder: holds the state of `progress.step`, and gets later ones.
        progress: how far the run has come; kept up to date.
        replicas: where it is trained.
        images: the number of training images.
        batches_of: the batches of a prepared phase from a step on.
        listener: called with each new row of the history.
        validate: scores the network as it is.
        estimator: says how long it will take.

    Raises:
        ParamsError: a later phase freezes what the network does not have; no step has been taken.
        TrainingError: likewise, it leaves nothing to train; a loss that is not finite, or a frozen variable that moved.
    """
    for phase in phases[1:]:
        frozen_in(phase, run.network, run.restored)
    audits: list[PhaseAudit] = []
    startup_s = ended_s = 0.0
    for phase in phases:
        if phase.number > 1:
            _pass_border(run, folder, phase.first, progress, replicas)
            audits.append(audit_phase(run))
            run = prepare_next_phase(run, phase, images, replicas)
        if phase.first < progress.step <= phase.last:
            folder.load(run.trainer.state, progress.step)
        run.copies.spread()
        if phase.is_last or progress.step < phase.last:
            run.trainer.run(batches_of(run, progress.step), folder, progress, listener, validate, estimator)
            startup_s += run.trainer.startup_s - ended_s
            ended_s = seconds_since_start()
        if progress.stopped_by and progress.step <= phase.last:
            break
    return TrainedPhases(run, audits, startup_s)


def audit_phase(run: PreparedRun) -> PhaseAudit:
    """What a phase that has ended did to each module, from the weights that the plain network has.

    Raises:
        TrainingError: a frozen variable moved.
    """
    modules = audit(run.network, run.frozen, run.initial_values)
    refuse_moved(modules, f"{run.phase.section}.freeze {run.phase.params.freeze}")
    return PhaseAudit(run.phase, modules, cached=run.feed.trunk is not None)


def _pass_border(run: PreparedRun, folder: ResumeFolder, step: int, progress: Progress, replicas: Replicas) -> None:
    """Give the plain network the weights that the phase of `run` ended with, after `step`, and keep them."""
    if progress.step > step:  # an earlier process trained that phase
        folder.load_border(run.trainer.weights, step)
        return
    run.copies.gather()
    if replicas.chief:
        folder.save_border(run.trainer.weights, step)
