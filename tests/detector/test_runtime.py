"""Runs with equal inputs end with equal weights, whatever else the machine does."""

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from tasks.detector.runtime import prepare_runtime

# Beyond what TensorFlow believes a CPU's memory to be, so that it saves memory.
_SIDE = 4000


def test_a_sum_of_three_gradients_does_not_depend_on_the_order_in_which_they_are_ready() -> None:
    prepare_runtime(1)
    variable = tf.Variable(tf.random.stateless_normal([_SIDE, _SIDE], [1, 2]))
    factor = tf.random.stateless_normal([_SIDE, _SIDE], [1, 3])

    @tf.function(autograph=False)
    def gradient() -> tf.Tensor:
        with tf.GradientTape() as tape:
            shared = tf.tanh(factor * variable)
            total = tf.reduce_sum(tf.nn.relu(shared * 3)) + tf.reduce_sum(tf.sin(shared))
            total += tf.reduce_sum(tf.square(shared))
        return tape.gradient(total, variable)

    context.enable_run_metadata()
    try:
        first = gradient().numpy()
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    operations = {node.op for graph in graphs for node in graph.post_optimization_graph.node}
    # Rewritten so, sums are made by operations that run in any order.
    assert operations.isdisjoint({"TemporaryVariable", "AssignAdd"})
    assert "Tanh" in operations
    np.testing.assert_array_equal(gradient().numpy(), first)


def test_gradients_of_a_list_of_tensors_are_added() -> None:
    prepare_runtime(1)
    variable = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as tape:
        rows = tf.raw_ops.TensorListFromTensor(tensor=variable, element_shape=[2])
        uses = [
            tf.raw_ops.TensorListStack(input_handle=rows, element_shape=[2], element_dtype=tf.float32) for _ in range(3)
        ]
        total = tf.add_n([tf.reduce_sum(use * factor) for factor, use in enumerate(uses, start=1)])
    np.testing.assert_array_equal(tape.gradient(total, variable), np.full((2, 2), 6.0))
