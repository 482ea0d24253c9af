"""The training loop: the OD API's model and losses, our own steps around them."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tqdm import tqdm

from tasks.detector.examples import Batch
from tasks.detector.network import Network
from tasks.detector.optimizing import TwoRates
from tasks.detector.resume import Progress, ResumeFolder
from tasks.detector.trunk import Trunk
from tasks.errors import TrainingError

if TYPE_CHECKING:
    from tasks.params import TrainParams

# What a validation gives: figures by name, of which `mAP` chooses the best checkpoint.
Validate = Callable[[], dict[str, float]]
OnRow = Callable[[dict[str, Any]], None]


class Trainer:
    """Trains a network, step by step."""

    def __init__(
        self, network: Network, optimizer: TwoRates, params: "TrainParams", trunk: Trunk | None = None
    ) -> None:
        """Train `network` with `optimizer`; the step is traced when `run` starts.

        With a `trunk`, batches hold its features instead of images.
        """
        self._network, self._optimizer, self._params = network, optimizer, params
        self._forward = trunk.forward if trunk else network.forward
        self.weights = tf.train.Checkpoint(model=network.model)
        self.state = tf.train.Checkpoint(model=network.model, optimizer=optimizer)
        self._step = tf.function(self._traced_step)

    def run(
        self, batches: tf.data.Dataset, folder: ResumeFolder, progress: Progress, on: OnRow, score: Validate
    ) -> None:
        """Train from `progress.step` to the last step, with a validation and a saving every so often.

        Args:
            batches: from step `progress.step` on.
            folder: where states are saved.
            progress: how far the run has come; kept up to date.
            on: called with each new row of the history.
            score: validates the network as it is; an empty result means that there is nothing to validate on.

        Raises:
            TrainingError: a loss that is not finite; the message names the batch's images.
        """
        params = self._params
        print("train: tracing the training step, which takes a while (half a minute on 2 cores)", flush=True)
        step = self._step.get_concrete_function(batches.element_spec)
        with _progress_bar(params.steps, progress.step) as bar:
            for batch in batches.take(params.steps - progress.step):
                start = time.monotonic()
                row = _checked(step(batch), batch, progress.step + 1)
                elapsed = time.monotonic() - start
                progress.step += 1
                progress.seconds += elapsed
                self._record({**row, "step_ms": elapsed * 1000}, progress, on)
                bar.set_postfix(loss=f"{row['loss']:.3f}", rate=f"{row['learning_rate']:.1e}", refresh=False)
                bar.update()
                ended = progress.step == params.steps
                if ended or progress.step % params.eval_every == 0:
                    self._validate(folder, progress, on, score, bar)
                if ended or progress.step % params.save_every == 0:
                    folder.save(self.state, progress)
                    folder.forget_old_best(progress.best_step)

    def _traced_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        rate = self._optimizer.schedule(self._optimizer.optimizers[0].iterations)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in self._optimizer.updated:
                tape.watch(variable)
            predictions = self._forward(batch.images, training=True)
            losses = self._losses(batch, predictions)
            total = tf.add_n(list(losses.values()))
        gradients = tape.gradient(total, self._optimizer.updated)
        norm = self._optimizer.apply(gradients)
        return {"loss": total, **losses, "gradient_norm": norm, "learning_rate": rate}

    def _losses(self, batch: Batch, predictions: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        model = self._network.model
        one_hot = tf.one_hot(batch.classes, self._network.num_classes) * batch.weights[..., tf.newaxis]
        # Weights keep the padding out of the loss, so that shapes stay static whatever the images hold.
        model.provide_groundtruth(
            groundtruth_boxes_list=tf.unstack(batch.boxes),
            groundtruth_classes_list=tf.unstack(one_hot),
            groundtruth_weights_list=tf.unstack(batch.weights),
        )
        losses = model.loss(predictions, self._network.shapes(batch.boxes))
        return {
            "classification_loss": losses["Loss/classification_loss"],
            "localization_loss": losses["Loss/localization_loss"],
        }

    def _validate(self, folder: ResumeFolder, progress: Progress, on: OnRow, score: Validate, bar: "tqdm[Any]") -> None:
        start = time.monotonic()
        figures = score()
        progress.seconds += time.monotonic() - start
        if not figures:
            return
        self._record({"step": progress.step, **figures}, progress, on)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        bar.write(f"step {progress.step}: validation {shown}")
        if figures["mAP"] > progress.best_score:
            folder.save_best(self.weights, progress.step)
            progress.best_step, progress.best_score = progress.step, figures["mAP"]

    @staticmethod
    def _record(row: dict[str, Any], progress: Progress, on: OnRow) -> None:
        progress.history.append(row)
        on(row)


@contextmanager
def _progress_bar(steps: int, done: int) -> Iterator["tqdm[Any]"]:
    """A bar that moves in a terminal, and adds to a log only every ten seconds."""
    interval = 0.2 if sys.stderr.isatty() else 10.0
    with tqdm(total=steps, initial=done, desc="train", unit="step", smoothing=0.1, mininterval=interval) as bar:
        yield bar


def _checked(result: dict[str, tf.Tensor], batch: Batch, step: int) -> dict[str, Any]:
    """A step's figures as numbers, for the history.

    Raises:
        TrainingError: one of them is not finite.
    """
    values = {name: float(value) for name, value in result.items()}
    if not all(math.isfinite(value) for value in values.values()):
        names = ", ".join(sorted({name.decode(errors="replace") for name in batch.names.numpy()}))
        raise TrainingError(
            f"step {step}: the loss is {values['loss']}, the gradient norm {values['gradient_norm']}; nothing was "
            f"saved after the last good step. Images of this batch: {names}. Look at their boxes "
            "(`dvc repro validate`), or lower train.learning_rate"
        )
    return {"step": step, **values}
