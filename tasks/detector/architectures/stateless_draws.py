"""Draws of the OD API's samplers that depend on the training's seed and the step alone.

Its samplers shuffle with TensorFlow's stateful generator, whose state no checkpoint holds: a resumed run would draw
other anchors and proposals than one that was not interrupted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import tensorflow as tf
from object_detection.core import balanced_positive_negative_sampler, minibatch_sampler

from tasks.detector.patching import patched


@contextmanager
def stateless_draws(seed: int, step: tf.Tensor) -> Iterator[None]:
    """Within it, samplers are traced with draws that are a function of `seed`, `step` (an integer scalar), and order.

    The first draw of a trace differs from the second, so that every image gets draws of its own.
    """
    draws = _StatelessShuffles(balanced_positive_negative_sampler.tf, seed, step)
    with patched(balanced_positive_negative_sampler, "tf", draws), patched(minibatch_sampler, "tf", draws):
        yield


class _StatelessShuffles:
    """Takes the place of the module `tf` in the samplers: all of it, but for another `random_shuffle`."""

    def __init__(self, tensorflow: Any, seed: int, step: tf.Tensor) -> None:
        self._tensorflow = tensorflow
        # TensorFlow's seeds are signed, and params.yaml allows larger ones.
        self._seed = tf.stack([tf.constant(seed & 0x7FFFFFFF, tf.int32), tf.cast(step, tf.int32)])
        self._numbers = count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tensorflow, name)

    def random_shuffle(self, value: tf.Tensor) -> tf.Tensor:
        """`value` with its rows in another order."""
        seed = tf.random.experimental.stateless_fold_in(self._seed, next(self._numbers))
        return tf.random.experimental.stateless_shuffle(value, seed)
