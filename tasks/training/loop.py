"""The training loop: the OD API's model and losses, our own steps around them."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tqdm import tqdm

from tasks.artifacts.training import StopReason
from tasks.errors import TrainingError
from tasks.ground.process import seconds_since_start
from tasks.model.schedule import Phase
from tasks.training.averaging import AveragedWeights
from tasks.training.estimate import Estimator, step_seconds
from tasks.training.examples import Batch
from tasks.training.freeze import unfrozen_variables
from tasks.training.optimizing import TwoRates
from tasks.training.progress import HistoryRow, Progress, RowListener, StepRow, Validate, ValidationRow
from tasks.training.replicas import Copies, Replicas
from tasks.training.resume import ResumeFolder
from tasks.training.trunk import Trunk

if TYPE_CHECKING:
    from tasks.params import TrainParams

# What ends training, by the number that workers exchange; None while nothing does.
_REASONS: tuple[StopReason | None, ...] = (None, "steps", "max_minutes", "patience")


class Trainer:
    """Trains a network, step by step.

    Attributes:
        startup_s: seconds from the start of this process to its first step.
        weights: what a checkpoint of the trained network holds.
        state: what a run is resumed from: network, optimizer and averages.
    """

    def __init__(
        self,
        copies: Copies,
        replicas: Replicas,
        optimizer: TwoRates,
        params: "TrainParams",
        *,
        frozen: set[str],
        trunk: Trunk | None = None,
        phase: Phase | None = None,
        earlier: "Trainer | None" = None,
    ) -> None:
        """Train the network that `copies` holds with `optimizer`; the step is traced when `run` starts.

        With a `trunk`, batches hold its features instead of images. `frozen` are the keys of the frozen variables.
        `phase` is the part that this trainer has in the training; None: all of it. `earlier` trained the phase before.
        """
        self._phase = phase or Phase(1, params, 0, is_last=True)
        self._copies, self._replicas, self._optimizer, self._params = copies, replicas, optimizer, params
        self._network = copies.trained
        self.startup_s = 0.0
        self._trunk = trunk
        self._forward = trunk.forward if trunk else copies.trained.forward
        self._averages = None
        if params.ema_decay:
            with replicas.strategy.scope():
                self._averages = AveragedWeights(
                    unfrozen_variables(copies.trained, frozen),
                    unfrozen_variables(copies.plain, frozen),
                    params.ema_decay,
                )
                if earlier and earlier._averages:
                    self._averages.continue_from(earlier._averages)
        self.weights = tf.train.Checkpoint(model=copies.plain.model)
        extra = {"averages": self._averages} if self._averages else {}
        self.state = tf.train.Checkpoint(model=copies.plain.model, optimizer=optimizer, **extra)
        # AutoGraph has nothing to convert here, and converting every layer takes as long as tracing it.
        self._step = tf.function(lambda batch: replicas.run(self._traced_step, batch), autograph=False)
        self._is_traced = False

    def run(
        self,
        batches: Any,
        folder: ResumeFolder,
        progress: Progress,
        listener: RowListener,
        validate: Validate,
        estimator: Estimator | None = None,
    ) -> None:
        """Train from `progress.step` on to the phase's last step, or until patience or time have run out.

        Args:
            batches: a dataset of `Batch`es from step `progress.step` on; with several replicas, of one replica's.
            folder: where the chief saves states.
            progress: how far the run has come; kept up to date.
            listener: called with each new row of the history.
            validate: scores the network as it is.
            estimator: says how long it will take.

        Raises:
            TrainingError: a loss that is not finite; the message names the batch's images.
        """
        params = self._params
        start = time.monotonic()
        step = self._traced(batches)
        if estimator and self._replicas.count == 1 and estimator.is_due(progress):
            traced_s = time.monotonic() - start
            step_s = step_seconds(step, batches, self._changing_variables())
            estimator.announce(progress, step_s, traced_s, self._trunk.image_seconds() if self._trunk else 0.0)
        iterator = iter(batches)
        self.startup_s = seconds_since_start()
        last = self._phase.last
        with tqdm(total=last, initial=progress.step, desc="train", unit="step", smoothing=0.1) as bar:
            while not progress.stopped_by and progress.step < last:
                self._one_step(step, iterator, progress, listener, bar)
                reason = self._agree(_reached_limit(self._phase, progress))
                ends = reason is not None or progress.step == last
                if ends or progress.step % params.eval_every == 0:
                    self._validate(folder, progress, listener, validate, bar)
                    reason = reason or (None if ends else self._agree(_exhausted_patience(self._phase, progress)))
                progress.stopped_by = reason
                if ends or reason or progress.step % params.save_every == 0:
                    self._save(folder, progress)
        if estimator:
            estimator.ended()

    def seconds_per_step(self, batches: Any) -> float:
        """Seconds that a step takes on this machine; every variable keeps its value. `batches` as in `run`."""
        return step_seconds(self._traced(batches), batches, self._changing_variables())

    @property
    def optimizer_variables(self) -> list[tf.Variable]:
        """What the optimizers remember of earlier steps, and how many there were; 0 before the first."""
        return [variable for optimizer in self._optimizer.optimizers for variable in optimizer.weights]

    def as_shipped(self) -> AbstractContextManager[None]:
        """Within it, the plain network has the weights that are validated and kept: averages, with train.ema_decay.

        Every worker must call it.
        """
        self._copies.gather()
        return self._averages.in_place() if self._averages else nullcontext()

    def _traced(self, batches: Any) -> Callable[[Any], dict[str, tf.Tensor]]:
        """The training step for such batches, traced the first time."""
        if not self._is_traced:
            print("train: tracing the training step, which takes a while (up to half a minute on 2 cores)", flush=True)
        step: Callable[[Any], dict[str, tf.Tensor]] = self._step.get_concrete_function(batches.element_spec)
        self._is_traced = True
        return step

    def _changing_variables(self) -> list[tf.Variable]:
        """All that a step changes."""
        averages = [*self._averages.averages, self._averages.steps] if self._averages else []
        return [*self._network.variables.values(), *self.optimizer_variables, *averages]

    def _one_step(
        self, step: Any, batches: Iterator[Batch], progress: Progress, listener: RowListener, bar: "tqdm[Any]"
    ) -> None:
        start = time.monotonic()
        batch = next(batches)
        ready = time.monotonic()
        figures = self._finite_figures(step(batch), batch, progress.step + 1)
        seconds = time.monotonic() - start
        progress.step += 1
        progress.seconds += seconds
        progress.waiting_s += ready - start
        row = StepRow(
            step=progress.step, **figures, step_ms=seconds * 1000, images_per_s=self._params.batch_size / seconds
        )
        self._record(row, progress, listener)
        bar.set_postfix(loss=f"{row.loss:.3f}", rate=f"{row.learning_rate:.1e}", refresh=False)
        bar.update()

    def _traced_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        steps = self._optimizer.optimizers[0].iterations
        rate = self._optimizer.schedule(steps)
        self._provide_groundtruth(batch)
        with (
            self._network.architecture.seeded(self._params.seed, steps),
            tf.GradientTape(watch_accessed_variables=False) as tape,
        ):
            for variable in self._optimizer.updated:
                tape.watch(variable)
            predictions = self._forward(batch.images, batch.shapes, training=True)
            losses = self._losses(batch, predictions)
            total = tf.add_n(list(losses.values()))
        gradients = self._replicas.total(tape.gradient(total, self._optimizer.updated))
        norm = self._optimizer.apply(gradients)
        if self._averages:
            self._averages.update()
        figures = {name: self._replicas.total(loss) for name, loss in {"loss": total, **losses}.items()}
        return {**figures, "gradient_norm": norm, "learning_rate": rate}

    def _provide_groundtruth(self, batch: Batch) -> None:
        """Give the model the boxes of one replica's images. It must have them before it predicts.

        A second stage learns from proposals that are sampled by their overlap with the boxes.
        """
        model, share = self._network.model, self._replicas.share(self._params.batch_size)
        one_hot = tf.one_hot(batch.classes, self._network.num_classes) * batch.weights[..., tf.newaxis]
        # Weights keep the padding out of the loss, so that shapes stay static whatever the images hold.
        model.provide_groundtruth(
            groundtruth_boxes_list=tf.unstack(batch.boxes, share),
            groundtruth_classes_list=tf.unstack(one_hot, share),
            groundtruth_weights_list=tf.unstack(batch.weights, share),
        )

    def _losses(self, batch: Batch, predictions: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One replica's addends: the sum over all replicas is the losses of the whole batch."""
        # Again: while this replica predicted, the others gave the model, which all share, the boxes of theirs.
        self._provide_groundtruth(batch)
        losses = self._network.architecture.losses(predictions, batch.shapes)
        weight = 1.0
        if self._replicas.count > 1 and losses.matches is not None:
            # The model has divided by the matches (or images) of its replica; it must be those of the whole batch.
            weight = tf.maximum(losses.matches, 1.0) / tf.maximum(self._replicas.total(losses.matches), 1.0)
        return {
            "classification_loss": losses.classification * weight,
            "localization_loss": losses.localization * weight,
        }

    def _agree(self, reason: StopReason | None) -> StopReason | None:
        """The chief's reason to stop; exchanged only where clocks and scores could make workers differ."""
        if self._params.patience or self._params.max_minutes:
            return _REASONS[self._replicas.agree(_REASONS.index(reason))]
        return reason

    def _save(self, folder: ResumeFolder, progress: Progress) -> None:
        self._copies.gather()
        if self._replicas.chief:
            folder.save(self.state, progress)
            folder.forget_old_best(progress.best_step)

    def _validate(
        self, folder: ResumeFolder, progress: Progress, listener: RowListener, validate: Validate, bar: "tqdm[Any]"
    ) -> None:
        start = time.monotonic()
        with self.as_shipped():
            scores = validate() if self._replicas.chief else None
            if scores and scores.mAP > progress.best_score:
                folder.save_best(self.weights, progress.step)
                progress.best_step, progress.best_score = progress.step, scores.mAP
        seconds = time.monotonic() - start
        progress.seconds += seconds
        progress.validating_s += seconds
        if scores is None:
            return
        self._record(ValidationRow(step=progress.step, mAP=scores.mAP, AP50=scores.AP50), progress, listener)
        bar.write(f"step {progress.step}: validation mAP {scores.mAP:.3f}, AP50 {scores.AP50:.3f}")

    def _finite_figures(self, result: dict[str, tf.Tensor], batch: Batch, step: int) -> dict[str, float]:
        """A step's figures as numbers, by their names in `StepRow`.

        Raises:
            TrainingError: one of them is not finite.
        """
        values = {name: float(value) for name, value in result.items()}
        if not all(math.isfinite(value) for value in values.values()):
            names = {
                name.decode(errors="replace") for local in self._replicas.local(batch.names) for name in local.numpy()
            }
            raise TrainingError(
                f"step {step}: the loss is {values['loss']}, the gradient norm {values['gradient_norm']}; nothing was "
                f"saved after the last good step. Images of this batch: {', '.join(sorted(names))}. Look at their "
                "boxes (`dvc repro validate`), or lower train.learning_rate"
            )
        return values

    @staticmethod
    def _record(row: HistoryRow, progress: Progress, listener: RowListener) -> None:
        progress.history.append(row)
        listener(row)


def _reached_limit(phase: Phase, progress: Progress) -> StopReason | None:
    if phase.is_last and progress.step >= phase.last:
        return "steps"
    limit = phase.params.max_minutes
    return "max_minutes" if limit and progress.seconds >= limit * 60 else None


def _exhausted_patience(phase: Phase, progress: Progress) -> StopReason | None:
    if not phase.params.patience:
        return None
    without_gain = sum(row.step > max(progress.best_step, phase.first) for row in progress.validations)
    return "patience" if without_gain >= phase.params.patience else None
