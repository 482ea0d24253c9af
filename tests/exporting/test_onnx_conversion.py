"""tf2onnx's conversion in steps: the graph of its one call, without its copies."""

import gc
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from onnx import numpy_helper
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tf2onnx import convert, optimizer, tfonnx
from tf2onnx.graph import Graph

from tasks.exporting.onnx_conversion import to_onnx
from tasks.model.onnx_file import OPSET


@pytest.fixture(scope="module")
def function():
    """Two convolutions with a BatchNorm behind each, which the conversion folds and transposes."""
    rng = np.random.default_rng(0)
    module = tf.Module()
    module.kernels = [tf.Variable(rng.normal(size=(3, 3, 3, 3)).astype(np.float32)) for _ in range(2)]
    ones, zeros = tf.Variable(tf.ones(3)), tf.Variable(tf.zeros(3))
    module.norm = (ones, zeros)

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3])], autograph=False)
    def run(images):
        for kernel in module.kernels:
            images = tf.nn.conv2d(images, kernel, 1, "SAME")
            images, *_ = tf.compat.v1.nn.fused_batch_norm(images, ones, zeros, zeros, ones, is_training=False)
        return images

    module.run = run.get_concrete_function()
    return module


def content(graph):
    """What nodes there are, and the constants, without the names that tf2onnx counts up."""
    return [node.op_type for node in graph.node], sorted(
        numpy_helper.to_array(constant).tobytes() for constant in graph.initializer
    )


def test_the_graph_is_that_of_one_call_of_tf2onnx(function):
    frozen = convert_variables_to_constants_v2(function.run, lower_control_flow=False)
    expected, _ = convert.from_graph_def(
        frozen.graph.as_graph_def(add_shapes=True),
        input_names=[tensor.name for tensor in frozen.inputs],
        output_names=[tensor.name for tensor in frozen.outputs],
        opset=OPSET,
    )
    assert content(to_onnx(function.run, OPSET)) == content(expected.graph)
    assert len(expected.graph.initializer) > 2


@pytest.fixture
def each_step(monkeypatch):
    """What `call`s are to be made before each of tf2onnx's optimisers."""
    calls: list[Callable[[], object]] = []

    def watched(factory):
        def make():
            for call in calls:
                call()
            return factory()

        return make

    for name, factory in optimizer._get_optimizers().items():
        monkeypatch.setitem(optimizer._optimizers, name, watched(factory))
    return calls


def test_no_more_than_two_copies_of_the_graph_are_alive(function, each_step):
    """While Python does not look for cycles by itself, as it does not for long in a process with TensorFlow."""
    alive = []
    each_step.append(lambda: alive.append(sum(isinstance(each, Graph) for each in gc.get_objects())))
    gc.collect()
    gc.disable()
    try:
        to_onnx(function.run, OPSET)
    finally:
        gc.enable()
    assert len(alive) >= len(optimizer._optimizers)
    assert max(alive) == 2


def test_what_was_there_before_is_not_looked_through_at_each_step(function, each_step):
    frozen = []
    each_step.append(lambda: frozen.append(gc.get_freeze_count()))
    before = len(gc.get_objects())
    to_onnx(function.run, OPSET)
    assert min(frozen) > before / 2
    assert gc.get_freeze_count() == 0


def test_a_conversion_that_fails_leaves_the_collector_as_it_was(function, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("no such node")

    monkeypatch.setattr(tfonnx, "process_tf_graph", fail)
    with pytest.raises(ValueError, match="no such node"):
        to_onnx(function.run, OPSET)
    assert gc.get_freeze_count() == 0
