"""How often each training image is shown, so that rare classes are seen more.

As repeat-factor sampling (Gupta et al. 2019, arXiv:1908.03195, section 3.2) measures it: a class is as rare as the
images that have it are few, and an image counts by its rarest class. Here an epoch keeps its length.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.dataset.dataset import AnnotatedImage


def shares(images: Sequence[AnnotatedImage], power: float) -> npt.NDArray[np.float64]:
    """float64 `(N,)`: how often each image is shown in an epoch, on average; the sum is N.

    At `power` 0 all images come equally often; at 1, an image of a class half as frequent comes twice as often.
    """
    frequency = Counter(name for image in images for name in set(image.classes))
    highest = max(frequency.values(), default=1)
    rarity = {name: (highest / count) ** power for name, count in frequency.items()}
    weights = [max((rarity[name] for name in image.classes), default=1.0) for image in images]
    return np.asarray(weights) * (len(images) / np.sum(weights))


def times_shown(image_shares: npt.NDArray[np.float64], seed: int, epoch: tf.Tensor) -> tf.Tensor:
    """int64 `(N,)`: how often each image comes in `epoch`, N in all; each the floor or the ceiling of its share.

    Systematic sampling: one random offset, a function of `seed` and `epoch` alone.
    """
    ends = np.cumsum(image_shares)
    ends[-1] = len(image_shares)
    offset = tf.random.stateless_uniform([], tf.stack([tf.cast(seed, tf.int64), epoch]), dtype=tf.float64)
    marks = tf.cast(tf.floor(np.append(0.0, ends) + offset), tf.int64)
    return marks[1:] - marks[:-1]
