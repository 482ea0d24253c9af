"""Photos as vectors: MobileNet V2 as it learned from ImageNet's photographs, without its classes.

Photos that show alike things in a like way have vectors that point the same way. The weights are those that ship with
the project (weights/mobilenet_v2_imagenet), whatever detector is trained: vectors of different runs can be compared.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.images.small_square import SIDE_PX, small_square
from tasks.weights.shipped import IMAGENET, read_shipped

WIDTH = 1280
_BATCH = 16

Embeddings = npt.NDArray[np.float32]


class PhotoEmbedder:
    """Gives each photo a vector of unit length."""

    def __init__(self) -> None:
        """Build the network.

        Raises:
            CheckpointError: the file of weights is missing or damaged.
        """
        arrays, _ = read_shipped(IMAGENET)
        network = tf.keras.applications.MobileNetV2(
            input_shape=(SIDE_PX, SIDE_PX, 3), include_top=False, weights=None, pooling="avg"
        )
        for layer in network.layers:
            layer.set_weights([arrays[_key(layer, weight)] for weight in layer.weights])
        self._forward = tf.function(
            lambda photos: network(tf.cast(photos, tf.float32) / 127.5 - 1.0, training=False),
            input_signature=[tf.TensorSpec((None, SIDE_PX, SIDE_PX, 3), tf.uint8)],
        )

    def __call__(self, photos: Iterable[npt.NDArray[np.uint8]]) -> Embeddings:
        """`(N, WIDTH)` vectors of unit length for N uint8 RGB photos `(H, W, 3)` of any sizes, read one by one."""
        return np.concatenate([np.zeros((0, WIDTH), np.float32), *self._of_batches(photos)])

    def _of_batches(self, photos: Iterable[npt.NDArray[np.uint8]]) -> Iterator[Embeddings]:
        scaled = map(small_square, photos)
        while some := list(islice(scaled, _BATCH)):
            features = self._forward(np.stack(some)).numpy()
            yield features / np.linalg.norm(features, axis=1, keepdims=True)


def _key(layer: tf.keras.layers.Layer, weight: tf.Variable) -> str:
    return f"{layer.name}/{weight.name.rsplit('/', 1)[-1].removesuffix(':0')}"
