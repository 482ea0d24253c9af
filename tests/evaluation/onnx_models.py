"""Small ONNX models with the input and the outputs of an export, and files of strangers made of them."""

from pathlib import Path

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from tasks.model.onnx_file import BOXES, CLASSES, COUNT, INPUT, OPSET, OUTPUTS, SCORES

RANKS = {BOXES: 3, SCORES: 2, CLASSES: 2, COUNT: 1}
# One detection in the image, whatever it shows: its left half, of the first class.
FOUND = {BOXES: [[[0, 0, 1, 0.5]]], SCORES: [[0.75]], CLASSES: [[1]], COUNT: [1]}


def model(values=None, *, kind=TensorProto.FLOAT, name=INPUT, metadata=None) -> ModelProto:
    """A model that gives `values` for one image, in place of those of `FOUND`."""
    constants = {output: np.asarray(value, np.float32) for output, value in {**FOUND, **(values or {})}.items()}
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"constant_{output}"], [output]) for output in OUTPUTS],
        "detector",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["batch", "height", "width", 3])],
        [helper.make_tensor_value_info(output, kind, [None] * RANKS[output]) for output in OUTPUTS],
        [numpy_helper.from_array(value, f"constant_{output}") for output, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    helper.set_model_props(made, metadata or {})
    return made


def written(path: Path, made: ModelProto) -> Path:
    """The file of a model."""
    path.write_bytes(made.SerializeToString())
    return path


def stranger() -> NodeProto:
    """A node that is not ONNX's own."""
    return helper.make_node("RunAnything", [], ["x"], domain="com.stranger")


def body(node: NodeProto) -> GraphProto:
    """A graph within a node, with `node`."""
    return helper.make_graph([node], "body", [], [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])])


def outside(location: str = "weights.bin") -> TensorProto:
    """A tensor that lies in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor
