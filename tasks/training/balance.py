"""How often each training image is shown, so that rare classes are seen more.

As repeat-factor sampling (Gupta et al. 2019, arXiv:1908.03195, section 3.2) measures it: a class is as rare as the
images that have it are few, and an image counts by its rarest class. Here an epoch stays as long as it was.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.dataset.dataset import AnnotatedImage


def shares(images: Sequence[AnnotatedImage], power: float) -> npt.NDArray[np.float64]:
    """float64 `(N,)`: how often each image is shown in an epoch, on average; the sum is N.

    `power` 0 treats all alike; at 1, an image of a class half as frequent comes twice as often.
    """
    frequency = Counter(name for image in images for name in set(image.classes))
    most = max(frequency.values(), default=1)
    weights = [max(((most / frequency[name]) ** power for name in set(image.classes)), default=1.0) for image in images]
    return np.asarray(weights) * (len(images) / np.sum(weights))


def times_shown(shown: npt.NDArray[np.float64], seed: int, epoch: tf.Tensor) -> tf.Tensor:
    """int64 `(N,)`: how often each image comes in `epoch`, N in all; each the floor or the ceiling of its share.

    Systematic sampling: one random offset, a function of `seed` and `epoch` alone.
    """
    ends = np.cumsum(shown)
    ends[-1] = len(shown)
    offset = tf.random.stateless_uniform([], tf.stack([tf.cast(seed, tf.int64), epoch]), dtype=tf.float64)
    marks = tf.cast(tf.floor(np.append(0.0, ends) + offset), tf.int64)
    return marks[1:] - marks[:-1]
