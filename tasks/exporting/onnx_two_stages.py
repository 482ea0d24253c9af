"""A Faster R-CNN as ONNX nodes: its first stage, the NMS of the proposals, a crop for each, and its second stage."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.detector.canvas import on_canvas
from tasks.detector.network import Network, set_learning_phase
from tasks.exporting.onnx_conversion import to_onnx
from tasks.exporting.onnx_crops import FeatureMap, add_crops
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
    maps, first = _first_stage(network, anchors)
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
    size, canvas = settings.initial_crop_size, network.resizer.canvas
    on_canvas = crops.add("Mul", [_PROPOSALS[BOXES], _SHARE], "on_canvas")
    add_crops(crops, maps, boxes=on_canvas, canvas=canvas, size=size, output=_CROPS)
    second, boxes_of_image = _second_stage(network, [count, maps[0].channels, size], (boxes, scores))
    nodes = Nodes("")
    for part in (first, proposals, crops, second):
        nodes.nodes += part.nodes
        nodes.constants += part.constants
    return nodes, boxes_of_image


def _anchors(network: Network) -> npt.NDArray[np.float32]:
    """`(N, 4)` `[ymin, xmin, ymax, xmax]` in pixels of the canvas."""
    anchors = tf.function(lambda images: network.forward(images, training=False)["anchors"], autograph=False)
    return anchors(tf.zeros([1, network.height, network.width, 3])).numpy()


def _first_stage(network: Network, anchors: npt.NDArray[np.float32]) -> tuple[list[FeatureMap], Nodes]:
    """The maps that proposals are cut out of, and the nodes up to them and the boxes and scores of all anchors."""
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
        share = side / tf.tile(tf.constant(network.resizer.canvas, tf.float32), [2])
        features = [tf.transpose(each, [0, 3, 1, 2]) for each in raw["rpn_features_to_crop"]]
        return found, objectness, share, *features

    function = propose.get_concrete_function()
    maps = []
    for level, each in enumerate(function.structured_outputs[3:]):
        channels, height, width = each.shape[1:]
        maps.append(FeatureMap(f"{_FEATURES}_{level}", height, width, channels))
    graph = to_onnx(function, OPSET)
    outputs = (_ANCHOR_BOXES, _ANCHOR_SCORES, _SHARE, *(each.name for each in maps))
    return maps, rename(graph, _names(graph, (INPUT,), outputs), prefix="first/")


def _second_stage(network: Network, shape: list[int], outputs: tuple[str, str]) -> tuple[Nodes, int]:
    """The nodes from crops to `outputs`, and how many boxes those are for an image.

    `shape` is the number of proposals of an image, and channels and side of a crop.
    """
    model = network.model
    count, channels, size = shape
    specs = [
        tf.TensorSpec([None, channels, size, size], tf.float32),
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
