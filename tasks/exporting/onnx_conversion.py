"""A TensorFlow function as an ONNX graph by tf2onnx, one step after another.

`tf2onnx.convert` does the same in one call, and gives the same graph. There the weights of a ResNet-50 lie in memory
about thirty times: each step keeps what the one before made, and each optimiser works on a copy of the whole graph,
which stays until Python looks for cycles. Here a step's result goes when the next one has read it.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from onnx import GraphProto
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def to_onnx(function: Any, opset: int) -> GraphProto:
    """The graph of a concrete function, its variables as constants, in an opset of ONNX's own domain."""
    from tf2onnx import optimizer  # noqa: PLC0415 - not wanted where nothing is exported

    collecting = {name: _collecting(factory) for name, factory in optimizer._get_optimizers().items()}
    with _collects_only_what_is_new():
        # Without a name here, the graph goes when the first optimiser has its copy.
        graph = optimizer.optimize_graph(_unoptimised(function, opset), optimizers=collecting)
        gc.collect()
    return graph.make_model("").graph


@contextmanager
def _collects_only_what_is_new() -> Iterator[None]:
    """`gc.collect` leaves alone what is there already.

    Some sixty times it would look at TensorFlow's half a million objects, which takes longer than the conversion.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _unoptimised(function: Any, opset: int) -> Any:
    """tf2onnx's own graph, one ONNX operation or several for each of TensorFlow's."""
    from tf2onnx import tf_loader, tfonnx  # noqa: PLC0415

    graph_def, inputs, outputs = _frozen(function)
    gc.collect()
    with tf.device("/cpu:0"), tf.Graph().as_default():
        graph_def = tf_loader.tf_optimize(inputs, outputs, graph_def)
    gc.collect()
    with tf.Graph().as_default() as tf_graph:
        tf.import_graph_def(graph_def, name="")
        del graph_def
        return tfonnx.process_tf_graph(
            tf_graph, continue_on_error=True, opset=opset, input_names=inputs, output_names=outputs
        )


def _frozen(function: Any) -> tuple[Any, list[str], list[str]]:
    """The graph with constants for variables, and the names of its inputs and outputs."""
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    names = [[tensor.name for tensor in tensors] for tensors in (frozen.inputs, frozen.outputs)]
    return frozen.graph.as_graph_def(add_shapes=True), *names


def _collecting(factory: Callable[[], Any]) -> Callable[[], Any]:
    """An optimiser's factory which first frees the graphs that former optimisers left."""

    def make() -> Any:
        gc.collect()
        return factory()

    return make
