"""A converted network against the file that it was converted from."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from tasks.detector.network import Network
from tasks.exporting.interpreter import every_tensor

Floats = npt.NDArray[np.float32]


def compare_with_tflite(network: Network, model: bytes, images: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """The largest differences of box encodings and of class logits between `network` and a TFLite file.

    Args:
        network: an SSD.
        model: a TFLite file that `read_convolutions` took; it gives encodings and logits, before post-processing.
        images: `(B, height, width, 3)` of the network's size.
    """
    predict = tf.function(lambda batch: network.forward(batch, training=False), autograph=False)
    graph = schema.Model.GetRootAs(model, 0).Subgraphs(0)
    outputs = [int(graph.Outputs(i)) for i in range(graph.OutputsLength())]
    boxes, logits = [], []
    for image, given in zip(images, every_tensor(model, outputs, _inputs(images)), strict=True):
        ours = predict(tf.constant(image[np.newaxis].astype(np.float32)))
        theirs = {values.shape[-1]: values for values in given.values()}
        encodings, classes = (ours[name].numpy() for name in ("box_encodings", "class_predictions_with_background"))
        boxes.append(largest_difference(encodings.reshape(1, -1, 4), theirs[4]))
        logits.append(largest_difference(classes, theirs[classes.shape[-1]]))
    return max(boxes), max(logits)


def largest_difference(a: Floats, b: Floats) -> float:
    """The largest absolute difference of two arrays of one shape.

    Raises:
        ValueError: their shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape}")
    return float(np.abs(a - b).max())


def _inputs(images: Sequence[npt.NDArray[np.uint8]] | npt.NDArray[np.uint8]) -> Iterator[Floats]:
    for image in images:
        yield image[np.newaxis].astype(np.float32) * np.float32(2.0 / 255.0) - np.float32(1.0)
