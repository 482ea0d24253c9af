"""An exponential moving average of the weights: smoother than the last step's, at next to no cost.

Polyak and Juditsky 1992; with a decay that starts low (Tarvainen and Valpola 2017, arXiv:1703.01780, section 3.4), so
that the first steps' weights are soon forgotten.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf


class AveragedWeights(tf.Module):
    """Averages of weights and, as they belong together, of BatchNorm's moving statistics."""

    def __init__(self, followed: Sequence[tf.Variable], shown: Sequence[tf.Variable], decay: float) -> None:
        """Follow variables from their present values on; show the averages in others, mostly the same.

        `decay` is how much of the average each step keeps, in 0..1.
        """
        super().__init__()
        self._followed, self._shown, self._decay = list(followed), list(shown), decay
        self.steps = tf.Variable(
            0,
            trainable=False,
            dtype=tf.int64,
            name="averaged_steps",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self.averages = [
            tf.Variable(
                variable,
                trainable=False,
                name=f"average/{variable.name.removesuffix(':0')}",
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for variable in self._followed
        ]

    def update(self) -> None:
        """Take one step's weights in; call it inside the training step, after the update."""
        taken = tf.cast(self.steps, tf.float32)
        decay = tf.minimum(self._decay, (1.0 + taken) / (10.0 + taken))
        for average, variable in zip(self.averages, self._followed, strict=True):
            average.assign(average * decay + variable * (1.0 - decay))
        self.steps.assign_add(1)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The shown variables have the averaged values for a while, then their own again, bit for bit."""
        own = [variable.numpy() for variable in self._shown]
        for average, variable in zip(self.averages, self._shown, strict=True):
            variable.assign(average.numpy())
        try:
            yield
        finally:
            for value, variable in zip(own, self._shown, strict=True):
                variable.assign(value)
