"""A Faster R-CNN as ONNX nodes: its first stage, the NMS of the proposals, a crop for each, and its second stage.

A crop is one `RoiAlign`. With one sample in a bin it interpolates at the middle of each bin; the bins are laid out so
that these are the places where the OD API interpolates (`tf.image.crop_and_resize`): from one edge of the box to the
other.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.detector.canvas import on_canvas
from tasks.detector.network import Network, set_learning_phase
from tasks.exporting.onnx_conversion import to_onnx
from tasks.exporting.onnx_nms import NmsSettings, add_nms
from tasks.exporting.onnx_nodes import Nodes, rename
from tasks.model.onnx_file import BOXES, CLASSES, COUNT, INPUT, OPSET, SCORES

_FEATURES, _SHARE, _CROPS = "features", "share_of_canvas", "cropped"
_ANCHOR_BOXES, _ANCHOR_SCORES = "anchor_boxes", "anchor_scores"
_PROPOSALS = {name: f"proposals/{name}" for name in (BOXES, SCORES, CLASSES, COUNT)}
# The score of what fills up the proposals of an image.
_NONE = -1.0


def add_two_stages(network: Network, settings: Any, *, boxes: str, scores: str) -> tuple[Nodes, int]:
    """The nodes of both stages, and how many boxes they give for an image.

    They give `boxes` float32 `(B, N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1 of the photo, and beyond it, and `scores`
    `(B, N, num_classes)`.

    Args:
        network: a Faster R-CNN.
        settings: its message in the pipeline.config.
        boxes: the name of the first output.
        scores: that of the second.
    """
    anchors = _anchors(network)
    features, first = _first_stage(network, anchors)
    count = settings.first_stage_max_proposals
    nms = NmsSettings(settings.first_stage_nms_score_threshold, settings.first_stage_nms_iou_threshold, count, count)
    proposals, crops = Nodes("proposals/"), Nodes("crops/")
    add_nms(
        proposals,
        nms,
        boxes=_ANCHOR_BOXES,
        scores=_ANCHOR_SCORES,
        anchors=len(anchors),
        num_classes=1,
        names=_PROPOSALS,
    )
    _add_crops(crops, features, settings.initial_crop_size)
    second, boxes_of_image = _second_stage(network, features, settings.initial_crop_size, count, (boxes, scores))
    nodes = Nodes("")
    for part in (first, proposals, crops, second):
        nodes.nodes += part.nodes
        nodes.constants += part.constants
    return nodes, boxes_of_image


def _anchors(network: Network) -> npt.NDArray[np.float32]:
    """`(N, 4)` `[ymin, xmin, ymax, xmax]` in pixels of the canvas."""
    anchors = tf.function(lambda images: network.forward(images, training=False)["anchors"], autograph=False)
    return anchors(tf.zeros([1, network.height, network.width, 3])).numpy()


def _first_stage(network: Network, anchors: npt.NDArray[np.float32]) -> tuple[list[int], Nodes]:
    """Height, width and channels of the features, and the nodes up to the boxes and scores of all anchors."""
    model, architecture = network.model, network.architecture

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name=INPUT)], autograph=False)
    def propose(input_tensor: tf.Tensor) -> tuple[tf.Tensor, ...]:
        set_learning_phase(training=False)
        images, shape = on_canvas(tf.cast(input_tensor, tf.float32), network.resizer)
        with architecture.inference():
            raw = model._predict_first_stage(architecture.preprocess(images))
        encodings = raw["rpn_box_encodings"][:, :, tf.newaxis]
        tiled = tf.tile(tf.constant(anchors)[tf.newaxis], [tf.shape(encodings)[0], 1, 1])
        side = tf.tile(tf.cast(shape[:2], tf.float32), [2])
        found = model._batch_decode_boxes(encodings, tiled)[:, :, 0] / side
        objectness = tf.nn.softmax(raw["rpn_objectness_predictions_with_background"])[..., 1:]
        (features,) = raw["rpn_features_to_crop"]
        share = side / tf.tile(tf.constant(network.resizer.canvas, tf.float32), [2])
        return found, objectness, tf.transpose(features, [0, 3, 1, 2]), share

    function = propose.get_concrete_function()
    channels, height, width = function.structured_outputs[2].shape[1:]
    graph = to_onnx(function, OPSET)
    outputs = (_ANCHOR_BOXES, _ANCHOR_SCORES, _FEATURES, _SHARE)
    return [height, width, channels], rename(graph, _names(graph, (INPUT,), outputs), prefix="first/")


def _add_crops(nodes: Nodes, features: list[int], size: int) -> None:
    """Add the nodes that cut `_CROPS` `(B * proposals, channels, size, size)` out of the features."""
    row = nodes.constant("row", [-1, 4], np.int64)
    on_canvas = nodes.add("Mul", [_PROPOSALS[BOXES], _SHARE], "on_canvas")
    listed = nodes.add("Reshape", [on_canvas, row], "listed")
    scaled = nodes.add("MatMul", [listed, nodes.constant("to_rois", _to_rois(features, size), np.float32)], "scaled")
    rois = nodes.add("Add", [scaled, nodes.constant("half_pixel", 0.5, np.float32)], "rois")
    shape = nodes.add("Shape", [on_canvas], "shape")
    images, each = (
        nodes.add("Gather", [shape, nodes.constant(f"axis_{axis}", axis, np.int64)], f"length_{axis}")
        for axis in (0, 1)
    )
    total = nodes.add("Mul", [images, each], "total")
    zero, one = nodes.constant("first", 0, np.int64), nodes.constant("step", 1, np.int64)
    numbers = nodes.add("Div", [nodes.add("Range", [zero, total, one], "numbers"), each], "image_numbers")
    nodes.append(
        "RoiAlign",
        [_FEATURES, rois, numbers],
        [_CROPS],
        coordinate_transformation_mode="half_pixel",
        mode="avg",
        output_height=size,
        output_width=size,
        sampling_ratio=1,
        spatial_scale=1.0,
    )


def _to_rois(features: list[int], size: int) -> npt.NDArray[np.float64]:
    """`(4, 4)`: from boxes `[ymin, xmin, ymax, xmax]` in 0..1 to `[x1, y1, x2, y2]` whose bins have the right middles.

    The OD API's first and last samples lie on the edges, which are 0 and 1 at the middles of the outermost cells.
    """
    matrix = np.zeros((4, 4))
    for place, cells in ((0, features[0] - 1), (1, features[1] - 1)):
        near, far = np.eye(4)[place] * cells, np.eye(4)[place + 2] * cells
        bin_side = (far - near) / (size - 1)
        matrix[:, 1 - place] = near - bin_side / 2
        matrix[:, 3 - place] = near - bin_side / 2 + size * bin_side
    return matrix


def _second_stage(
    network: Network, features: list[int], size: int, count: int, outputs: tuple[str, str]
) -> tuple[Nodes, int]:
    """The nodes from crops to `outputs`, and how many boxes those are for an image."""
    model = network.model
    specs = [
        tf.TensorSpec([None, features[2], size, size], tf.float32),
        tf.TensorSpec([None, count, 4], tf.float32),
        tf.TensorSpec([None], tf.float32),
    ]

    @tf.function(input_signature=specs, autograph=False)
    def classify(crops: tf.Tensor, proposals: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        set_learning_phase(training=False)
        pooled = model._maxpool_layer(tf.transpose(crops, [0, 2, 3, 1]))
        found = model._mask_rcnn_box_predictor([model._extract_box_classifier_features(pooled)], prediction_stage=2)
        encodings = found["box_encodings"]
        by_class = encodings.shape[2]
        boxes = model._batch_decode_boxes(tf.reshape(encodings, [-1, count, by_class, 4]), proposals)
        logits = tf.reshape(found["class_predictions_with_background"], [-1, count, network.num_classes + 1])
        scores = model._second_stage_score_conversion_fn(logits)[..., 1:]
        is_proposal = tf.range(count, dtype=tf.float32) < number[:, tf.newaxis]
        scores = tf.where(is_proposal[..., tf.newaxis], scores, _NONE)
        if by_class > 1:
            # ONNX's NMS knows one list of boxes for all classes: here each box has a score of its own class alone.
            own = tf.eye(by_class, dtype=tf.bool)
            scores = tf.where(own, scores[:, :, tf.newaxis], _NONE)
        shape = [-1, count * by_class]
        return tf.reshape(boxes, [*shape, 4]), tf.reshape(scores, [*shape, network.num_classes])

    function = classify.get_concrete_function()
    graph = to_onnx(function, OPSET)
    inputs = (_CROPS, _PROPOSALS[BOXES], _PROPOSALS[COUNT])
    return rename(graph, _names(graph, inputs, outputs), prefix="second/"), function.structured_outputs[0].shape[1]


def _names(graph: Any, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> dict[str, str]:
    if len(graph.input) != len(inputs):
        named = ", ".join(each.name for each in graph.input)
        raise ValueError(f"the network hangs on tensors outside of it: {named}")
    given = zip((*graph.input, *graph.output), (*inputs, *outputs), strict=True)
    return {each.name: name for each, name in given}
