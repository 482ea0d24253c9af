"""A trained network as one ONNX file that gives what its SavedModel gives, with the NMS inside.

A model without an NMS is converted as a whole, with the peaks that it finds.
"""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from tasks.detector.architectures.architecture import Architecture
from tasks.detector.architectures.faster_rcnn import FasterRcnn
from tasks.detector.architectures.faster_rcnn_fpn import FasterRcnnFpn
from tasks.detector.architectures.ssd import Ssd
from tasks.detector.canvas import on_canvas
from tasks.detector.model_messages import detector_message
from tasks.detector.network import Network
from tasks.detector.pipeline_config import has_suppression
from tasks.exporting.onnx_conversion import to_onnx
from tasks.exporting.onnx_nms import NmsSettings, add_nms, read_nms
from tasks.exporting.onnx_nodes import Nodes, rename
from tasks.exporting.onnx_two_stages import add_two_stages
from tasks.exporting.saved_model import served_outputs
from tasks.ground.files import replacing
from tasks.model.onnx_file import BOXES, CLASS_NAMES, CLASSES, COUNT, FIRST_ID, INPUT, OPSET, OUTPUTS, SCORES

_RAW_BOXES, _RAW_SCORES = "raw_boxes", "raw_scores"


def export_onnx(network: Network, pipeline_config: Any, path: Path, *, classes: Sequence[str]) -> None:
    """An ONNX file: uint8 `(B, H, W, 3)` of any H and W in, what the SavedModel gives out (`export_saved_model`).

    Two exports of one network are equal to the byte. Its metadata has the class names, the first class's id, the layout
    of boxes and what the input is.

    Raises:
        ConfigError: the NMS of `pipeline_config` is one that the file cannot have.
    """
    if len(classes) != network.num_classes:
        raise ValueError(f"expected {network.num_classes} class names, but got {len(classes)}")
    if has_suppression(pipeline_config):
        model = _model(network, pipeline_config, read_nms(pipeline_config))
    else:
        model = _whole_model(network)
    helper.set_model_props(model, _metadata(network, classes))
    # Types and shapes of every tensor are inferred, too; an operation that was not converted is none that ONNX knows.
    onnx.checker.check_model(model, full_check=True)
    with replacing(path) as beside:
        beside.write_bytes(model.SerializeToString(deterministic=True))


def _model(network: Network, pipeline_config: Any, settings: NmsSettings) -> ModelProto:
    """The network and its NMS, without metadata."""
    with _quiet():
        body, boxes = _BODIES[type(network.architecture)](network, detector_message(pipeline_config))
    nms = Nodes("nms/")
    add_nms(nms, settings, boxes=_RAW_BOXES, scores=_RAW_SCORES, anchors=boxes, num_classes=network.num_classes)
    return _model_of(body.nodes + nms.nodes, body.constants + nms.constants, settings.max_total)


def _whole_model(network: Network) -> ModelProto:
    """The network and what finds its detections, without metadata."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name=INPUT)], autograph=False)
    def detect(input_tensor: tf.Tensor) -> tuple[tf.Tensor, ...]:
        found = served_outputs(network, input_tensor)
        return tuple(found[name] for name in OUTPUTS)

    function = detect.get_concrete_function()
    with _quiet():
        nodes = _to_nodes(function, OUTPUTS)
    return _model_of(nodes.nodes, nodes.constants, function.structured_outputs[0].shape[1])


def _model_of(nodes: Sequence[NodeProto], constants: Sequence[TensorProto], max_total: int) -> ModelProto:
    return helper.make_model(
        helper.make_graph(
            nodes,
            "detector",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["batch", "height", "width", 3])],
            _outputs(max_total),
            constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=helper.find_min_ir_version_for([helper.make_opsetid("", OPSET)]),
        producer_name="detection-pipeline",
    )


def _one_stage(network: Network, _: Any) -> tuple[Nodes, int]:
    """The nodes up to the boxes and scores of all anchors, and how many those are."""
    anchors = _anchors(network)
    return _network_nodes(network, anchors), len(anchors)


def _two_stages(network: Network, settings: Any) -> tuple[Nodes, int]:
    return add_two_stages(network, settings, boxes=_RAW_BOXES, scores=_RAW_SCORES)


_BODIES: dict[type[Architecture], Callable[[Network, Any], tuple[Nodes, int]]] = {
    Ssd: _one_stage,
    FasterRcnn: _two_stages,
    FasterRcnnFpn: _two_stages,
}


def _anchors(network: Network) -> npt.NDArray[np.float32]:
    """`(N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1, as values: a traced network has tensors from outside of it."""
    anchors = tf.function(lambda images: network.forward(images, training=False)["anchors"], autograph=False)
    return anchors(tf.zeros([1, network.height, network.width, 3])).numpy()


def _network_nodes(network: Network, anchors: npt.NDArray[np.float32]) -> Nodes:
    """The network as ONNX: `INPUT`, an image batch, in, `_RAW_BOXES` and `_RAW_SCORES` of all anchors out."""
    model = network.model
    has_background = model._add_background_class or model._explicit_background_class

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name=INPUT)], autograph=False)
    def detect(input_tensor: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, shape = on_canvas(tf.cast(input_tensor, tf.float32), network.resizer)
        raw = network.forward(images, training=False)
        boxes, _ = model._batch_decode(raw["box_encodings"], tf.constant(anchors))
        if network.resizer.keeps_proportions:
            whole = tf.constant(network.resizer.canvas, tf.float32)
            boxes *= tf.tile(whole / tf.cast(shape[:2], tf.float32), [2])
        scores = model._score_conversion_fn(raw["class_predictions_with_background"])
        return boxes, scores[..., 1:] if has_background else scores

    return _to_nodes(detect.get_concrete_function(), (_RAW_BOXES, _RAW_SCORES))


def _to_nodes(function: Any, outputs: Sequence[str]) -> Nodes:
    """A concrete function of `INPUT` as nodes; its outputs get these names."""
    graph = to_onnx(function, OPSET)
    if len(graph.input) != 1:
        named = ", ".join(each.name for each in graph.input)
        raise ValueError(f"the network hangs on tensors outside of it: {named}")
    _modernise_upsampling(graph)
    names = {output.name: name for output, name in zip(graph.output, outputs, strict=True)}
    return rename(graph, {graph.input[0].name: INPUT, **names})


def _modernise_upsampling(graph: GraphProto) -> None:
    """Replace a mode of nearest neighbours that ONNX dropped with opset 13 by one that repeats pixels just the same.

    Keras' UpSampling2D makes maps larger by whole factors, for which the two are equal.
    """
    for node in graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        mode = attributes.get("coordinate_transformation_mode")
        if node.op_type == "Resize" and mode is not None and mode.s == b"tf_half_pixel_for_nn":
            mode.s = b"asymmetric"
            attributes["nearest_mode"].s = b"floor"


@contextmanager
def _quiet() -> Iterator[None]:
    """Within it, TensorFlow and tf2onnx log errors only: they warn of functions of their own that are old."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "tf2onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _outputs(max_total: int) -> list[onnx.ValueInfoProto]:
    shapes: dict[str, list[str | int | None]] = {
        BOXES: ["batch", max_total, 4],
        SCORES: ["batch", max_total],
        CLASSES: ["batch", max_total],
        COUNT: ["batch"],
    }
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in OUTPUTS]


def _metadata(network: Network, classes: Sequence[str]) -> dict[str, str]:
    return {
        CLASS_NAMES: json.dumps(list(classes), ensure_ascii=False),
        "first_class_id": str(FIRST_ID),
        "boxes": "[ymin, xmin, ymax, xmax] in 0..1",
        "input": f"RGB, uint8, any height and width; resized to {network.resizer} inside",
        "opset": str(OPSET),
    }
