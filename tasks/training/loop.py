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
from tasks.training.averaging import AveragedWeights
from tasks.training.examples import Batch
from tasks.training.freeze import moving
from tasks.training.optimizing import TwoRates
from tasks.training.replicas import Copies, Replicas
from tasks.training.resume import Progress, ResumeFolder
from tasks.training.targets import assigning
from tasks.training.trunk import Trunk

if TYPE_CHECKING:
    from tasks.params import TrainParams

# What a validation gives: figures by name, of which `mAP` chooses the best checkpoint.
Validate = Callable[[], dict[str, float]]
OnRow = Callable[[dict[str, Any]], None]

# What ends training, by the number that workers exchange; None while nothing does.
_REASONS: tuple[StopReason | None, ...] = (None, "steps", "max_minutes", "patience")


class Trainer:
    """Trains a network, step by step.

    Attributes:
        startup_s: how long this process had run when everything stood ready for the first step.
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
    ) -> None:
        """Train the network that `copies` holds with `optimizer`; the step is traced when `run` starts.

        With a `trunk`, batches hold its features instead of images. `frozen` are the keys of what stands still.
        """
        self._copies, self._replicas, self._optimizer, self._params = copies, replicas, optimizer, params
        self._network = copies.trained
        self.startup_s = 0.0
        self._forward = trunk.forward if trunk else copies.trained.forward
        self._averages = None
        if params.ema_decay:
            with replicas.strategy.scope():
                self._averages = AveragedWeights(
                    moving(copies.trained, frozen), moving(copies.plain, frozen), params.ema_decay
                )
        self.weights = tf.train.Checkpoint(model=copies.plain.model)
        extra = {"averages": self._averages} if self._averages else {}
        self.state = tf.train.Checkpoint(model=copies.plain.model, optimizer=optimizer, **extra)
        # Nothing here is written for AutoGraph, and converting every layer takes as long as tracing it.
        self._step = tf.function(lambda batch: replicas.run(self._traced_step, batch), autograph=False)

    def run(self, batches: Any, folder: ResumeFolder, progress: Progress, on: OnRow, score: Validate) -> None:
        """Train from `progress.step` on, until the last step, or until patience or time have run out.

        Args:
            batches: a dataset of `Batch`es from step `progress.step` on; of a replica's, where there are several.
            folder: where states are saved, by the chief.
            progress: how far the run has come; kept up to date.
            on: called with each new row of the history.
            score: validates the network as it is; an empty result means that there is nothing to validate on.

        Raises:
            TrainingError: a loss that is not finite; the message names the batch's images.
        """
        params = self._params
        print("train: tracing the training step, which takes a while (half a minute on 2 cores)", flush=True)
        step = self._step.get_concrete_function(batches.element_spec)
        coming = iter(batches)
        self.startup_s = seconds_since_start()
        with tqdm(total=params.steps, initial=progress.step, desc="train", unit="step", smoothing=0.1) as bar:
            while not progress.stopped_by:
                self._one_step(step, coming, progress, on, bar)
                over = self._agreed(_out_of(params, progress))
                if over or progress.step % params.eval_every == 0:
                    self._validate(folder, progress, on, score, bar)
                    over = over or self._agreed(_out_of_patience(params, progress))
                progress.stopped_by = over
                if over or progress.step % params.save_every == 0:
                    self._save(folder, progress)

    def as_shipped(self) -> AbstractContextManager[None]:
        """For a while, the plain network has the weights that are validated and kept: averages, where those are asked.

        Every worker must take part.
        """
        self._copies.gather()
        return self._averages.in_place() if self._averages else nullcontext()

    def _one_step(self, step: Any, coming: Iterator[Batch], progress: Progress, on: OnRow, bar: "tqdm[Any]") -> None:
        start = time.monotonic()
        batch = next(coming)
        ready = time.monotonic()
        row = self._checked(step(batch), batch, progress.step + 1)
        end = time.monotonic()
        progress.step += 1
        progress.seconds += end - start
        progress.waiting_s += ready - start
        speed = {"step_ms": (end - start) * 1000, "images_per_s": self._params.batch_size / (end - start)}
        self._record({**row, **speed}, progress, on)
        bar.set_postfix(loss=f"{row['loss']:.3f}", rate=f"{row['learning_rate']:.1e}", refresh=False)
        bar.update()

    def _traced_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        rate = self._optimizer.schedule(self._optimizer.optimizers[0].iterations)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in self._optimizer.updated:
                tape.watch(variable)
            predictions = self._forward(batch.images, training=True)
            losses = self._losses(batch, predictions)
            total = tf.add_n(list(losses.values()))
        gradients = self._replicas.total(tape.gradient(total, self._optimizer.updated))
        norm = self._optimizer.apply(gradients)
        if self._averages:
            self._averages.update()
        figures = {name: self._replicas.total(loss) for name, loss in {"loss": total, **losses}.items()}
        return {**figures, "gradient_norm": norm, "learning_rate": rate}

    def _losses(self, batch: Batch, predictions: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The part of one replica; over all of them they add up to the losses of the whole batch."""
        model, share = self._network.model, self._replicas.share(self._params.batch_size)
        one_hot = tf.one_hot(batch.classes, self._network.num_classes) * batch.weights[..., tf.newaxis]
        # Weights keep the padding out of the loss, so that shapes stay static whatever the images hold.
        model.provide_groundtruth(
            groundtruth_boxes_list=tf.unstack(batch.boxes, share),
            groundtruth_classes_list=tf.unstack(one_hot, share),
            groundtruth_weights_list=tf.unstack(batch.weights, share),
        )
        with assigning(model) as matches:
            losses = model.loss(predictions, self._network.shapes(batch.boxes))
        part = 1.0
        if self._replicas.count > 1 and model._normalize_loss_by_num_matches:
            # The model has divided by its own matches; the whole batch's are wanted.
            part = tf.maximum(matches[0], 1.0) / tf.maximum(self._replicas.total(matches[0]), 1.0)
        return {
            "classification_loss": losses["Loss/classification_loss"] * part,
            "localization_loss": losses["Loss/localization_loss"] * part,
        }

    def _agreed(self, reason: StopReason | None) -> StopReason | None:
        """What the chief says; asked for only where clocks and scores could make workers differ."""
        if self._params.patience or self._params.max_minutes:
            return _REASONS[self._replicas.agree(_REASONS.index(reason))]
        return reason

    def _save(self, folder: ResumeFolder, progress: Progress) -> None:
        self._copies.gather()
        if self._replicas.chief:
            folder.save(self.state, progress)
            folder.forget_old_best(progress.best_step)

    def _validate(self, folder: ResumeFolder, progress: Progress, on: OnRow, score: Validate, bar: "tqdm[Any]") -> None:
        start = time.monotonic()
        with self.as_shipped():
            figures = score() if self._replicas.chief else {}
            if figures and figures["mAP"] > progress.best_score:
                folder.save_best(self.weights, progress.step)
                progress.best_step, progress.best_score = progress.step, figures["mAP"]
        elapsed = time.monotonic() - start
        progress.seconds += elapsed
        progress.validating_s += elapsed
        if not figures:
            return
        self._record({"step": progress.step, **figures}, progress, on)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        bar.write(f"step {progress.step}: validation {shown}")

    def _checked(self, result: dict[str, tf.Tensor], batch: Batch, step: int) -> dict[str, Any]:
        """A step's figures as numbers, for the history.

        Raises:
            TrainingError: one of them is not finite.
        """
        values = {name: float(value) for name, value in result.items()}
        if not all(math.isfinite(value) for value in values.values()):
            found = {
                name.decode(errors="replace") for part in self._replicas.local(batch.names) for name in part.numpy()
            }
            raise TrainingError(
                f"step {step}: the loss is {values['loss']}, the gradient norm {values['gradient_norm']}; nothing was "
                f"saved after the last good step. Images of this batch: {', '.join(sorted(found))}. Look at their "
                "boxes (`dvc repro validate`), or lower train.learning_rate"
            )
        return {"step": step, **values}

    @staticmethod
    def _record(row: dict[str, Any], progress: Progress, on: OnRow) -> None:
        progress.history.append(row)
        on(row)


def _out_of(params: "TrainParams", progress: Progress) -> StopReason | None:
    """What has run out: steps, time, or nothing."""
    if progress.step >= params.steps:
        return "steps"
    return "max_minutes" if params.max_minutes and progress.seconds >= params.max_minutes * 60 else None


def _out_of_patience(params: "TrainParams", progress: Progress) -> StopReason | None:
    if not params.patience:
        return None
    in_vain = sum("mAP" in row and row["step"] > progress.best_step for row in progress.history)
    return "patience" if in_vain >= params.patience else None
