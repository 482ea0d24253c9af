"""Targets assigned by the shared function are those that the OD API assigns image by image."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tasks.detector.architectures.target_assignment import assigning
from tasks.detector.network import Network

BOXES = [[[0.1, 0.2, 0.6, 0.7], [0.5, 0.5, 0.9, 1.0]], [[0.0, 0.0, 0.3, 0.4], [0.0, 0.0, 0.0, 0.0]]]
WEIGHTS = [[1.0, 1.0], [1.0, 0.0]]


def traced_loss(network: Network, count: int) -> Any:
    """Of predictions for `count` anchors in two images: the loss, and its gradient with respect to them."""
    model = network.model
    one_hot = [tf.one_hot([0, 1], 2), tf.one_hot([1, 0], 2) * [[1.0], [0.0]]]

    def loss(boxes: tf.Tensor, scores: tf.Tensor) -> Any:
        predictions = network.forward(tf.zeros((2, 64, 64, 3)), training=True)
        predictions |= {"box_encodings": boxes, "class_predictions_with_background": scores}
        model.provide_groundtruth(
            groundtruth_boxes_list=tf.unstack(tf.constant(BOXES)),
            groundtruth_classes_list=one_hot,
            groundtruth_weights_list=tf.unstack(tf.constant(WEIGHTS)),
        )
        with tf.GradientTape() as tape:
            tape.watch((boxes, scores))
            losses = model.loss(predictions, network.whole_shapes(boxes))
            total = tf.add_n(list(losses.values()))
        return total, *tape.gradient(total, (boxes, scores))

    specs = tf.TensorSpec((2, count, 4)), tf.TensorSpec((2, count, 3))
    return tf.function(loss, autograph=False).get_concrete_function(*specs)


@pytest.mark.slow
def test_loss_and_gradients_are_the_same_and_the_graph_is_smaller(network: Network) -> None:
    count = network.forward(tf.zeros((2, 64, 64, 3)), training=True)["box_encodings"].shape[1]
    rng = np.random.default_rng(3)
    given = [tf.constant(rng.normal(size=(2, count, width)), tf.float32) for width in (4, 3)]

    each = traced_loss(network, count)
    with assigning(network.model) as matches:
        once = traced_loss(network, count)

    expected, found = each(*given), once(*given)
    assert float(expected[0]) > 0
    assert np.abs(expected[1]).max() > 0
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(other, one)
    assert len(matches) == 1
    assert len(once.graph.get_operations()) < len(each.graph.get_operations()) - 300
