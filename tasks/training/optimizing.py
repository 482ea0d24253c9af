"""The learning-rate schedule and the optimizers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tasks.model.schedule import decay_end_step

if TYPE_CHECKING:
    from tasks.params import TrainParams


class WarmupCosine(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Linear from a tenth of `rate` over `warmup_steps`, then along a cosine to 0 at `steps`.

    Without `train.decay_steps`, the decay ends when training ends: the zoo's schedule, made for 50,000 steps, has
    hardly begun after 4,000.
    """

    def __init__(self, rate: float, warmup_steps: int, steps: int) -> None:
        super().__init__()
        self.rate, self.warmup_steps, self.steps = rate, min(warmup_steps, steps - 1), steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate of step `step`, counted from 0."""
        step = tf.cast(step, tf.float32)
        warm = self.rate * (0.1 + 0.9 * step / max(self.warmup_steps, 1))
        progress = (step - self.warmup_steps) / max(self.steps - self.warmup_steps, 1)
        cosine = self.rate * 0.5 * (1.0 + tf.cos(np.pi * tf.clip_by_value(progress, 0.0, 1.0)))
        return tf.where(step < self.warmup_steps, warm, cosine)

    def get_config(self) -> dict[str, float]:
        """What rebuilds this schedule."""
        return {"rate": self.rate, "warmup_steps": self.warmup_steps, "steps": self.steps}


class TwoRates(tf.Module):
    """One update over two groups of variables: those that a checkpoint filled, and new ones that learn faster.

    The gradients are clipped together, by their global norm.
    """

    def __init__(self, params: "TrainParams", restored: Sequence[tf.Variable], new: Sequence[tf.Variable]) -> None:
        super().__init__()
        self.schedule = WarmupCosine(params.learning_rate, params.warmup_steps, decay_end_step(params))
        faster = WarmupCosine(params.learning_rate * params.new_layer_rate, params.warmup_steps, decay_end_step(params))
        self._clip_norm = params.clip_norm
        self._groups = [
            (_optimizer(params.optimizer, schedule), list(variables))
            for schedule, variables in ((self.schedule, restored), (faster, new))
            if variables
        ]
        self.optimizers = [optimizer for optimizer, _ in self._groups]
        for optimizer, variables in self._groups:
            optimizer._create_all_weights(variables)  # else the first step would, too late for a state to be restored

    @property
    def updated(self) -> list[tf.Variable]:
        """Every variable that `apply` changes, in the order in which it takes gradients."""
        return [variable for _, variables in self._groups for variable in variables]

    def apply(self, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
        """One update from gradients of the whole batch; returns their global norm before clipping."""
        clipped, norm = tf.clip_by_global_norm(gradients, self._clip_norm)
        for optimizer, variables in self._groups:
            group, clipped = clipped[: len(variables)], clipped[len(variables) :]
            optimizer.apply_gradients(zip(group, variables, strict=True), experimental_aggregate_gradients=False)
        return norm


def _optimizer(name: str, schedule: WarmupCosine) -> tf.keras.optimizers.legacy.Optimizer:
    # Keras' newer optimizers make forty small operations of each variable's update, these one: the same formula, and
    # nine thousand operations fewer to trace, to optimise and to run.
    if name == "adam":
        return tf.keras.optimizers.legacy.Adam(schedule)
    return tf.keras.optimizers.legacy.SGD(schedule, momentum=0.9)
