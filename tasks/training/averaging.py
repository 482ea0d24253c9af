"""An exponential moving average of the weights: smoother than the last step's, at next to no cost.

Polyak and Juditsky 1992. The decay starts low (Tarvainen and Valpola 2017, arXiv:1703.01780, section 3.4), so that the
weights of the first steps are soon forgotten.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf


class AveragedWeights(tf.Module):
    """Averages of weights and, as they belong together, of BatchNorm's moving statistics."""

    def __init__(self, sources: Sequence[tf.Variable], targets: Sequence[tf.Variable], decay: float) -> None:
        """Start from the present values of `sources`.

        Args:
            sources: the variables whose values are averaged.
            targets: the variables that `in_place` gives the averages to; the sources themselves without replicas.
            decay: how much of the average each step keeps, in 0..1.
        """
        super().__init__()
        self._sources, self._targets, self._decay = list(sources), list(targets), decay
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
            for variable in self._sources
        ]

    def continue_from(self, earlier: "AveragedWeights") -> None:
        """Take over the averages of `earlier`; a variable that did not train then has its own value as average."""
        known = {id(source): average for source, average in zip(earlier._sources, earlier.averages, strict=True)}
        for source, average in zip(self._sources, self.averages, strict=True):
            if id(source) in known:
                average.assign(known[id(source)].numpy())
        self.steps.assign(earlier.steps.numpy())

    def update(self) -> None:
        """Add the weights of one step; call it inside the training step, after the update."""
        steps = tf.cast(self.steps, tf.float32)
        decay = tf.minimum(self._decay, (1.0 + steps) / (10.0 + steps))
        for average, variable in zip(self.averages, self._sources, strict=True):
            average.assign(average * decay + variable * (1.0 - decay))
        self.steps.assign_add(1)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it, the targets have the averaged values; after it their own again, bit for bit."""
        own = [variable.numpy() for variable in self._targets]
        for average, variable in zip(self.averages, self._targets, strict=True):
            variable.assign(average.numpy())
        try:
            yield
        finally:
            for value, variable in zip(own, self._targets, strict=True):
                variable.assign(value)
