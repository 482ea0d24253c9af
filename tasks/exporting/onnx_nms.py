"""The OD API's NMS as ONNX nodes: class by class, then the best of all classes together.

It follows `multiclass_non_max_suppression` in the OD API's `core/post_processing.py` to the order of equal scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto

from tasks.detector.model_messages import detector_message
from tasks.errors import ConfigError
from tasks.exporting.onnx_nodes import Nodes
from tasks.model.onnx_file import BOXES, CLASSES, COUNT, FIRST_ID, OUTPUTS, SCORES

# What makes another NMS of it.
_UNKNOWN = ("use_static_shapes", "use_class_agnostic_nms", "use_combined_nms", "soft_nms_sigma")
# The score of what is no detection; the OD API's, too.
_NONE = -1.0
_GRAPH_OUTPUTS = {name: name for name in OUTPUTS}


@dataclass(frozen=True)
class NmsSettings:
    """What `batch_non_max_suppression` of a pipeline.config says.

    Attributes:
        score_threshold: detections have a higher score.
        iou_threshold: of two boxes of a class that overlap more, the one with the lower score goes.
        max_per_class: detections of a class, at most.
        max_total: detections in an image, at most; the length of what comes out.
    """

    score_threshold: float
    iou_threshold: float
    max_per_class: int
    max_total: int


def read_nms(pipeline_config: Any) -> NmsSettings:
    """The NMS of a `pipeline_pb2.TrainEvalPipelineConfig`.

    Raises:
        ConfigError: it is one of the OD API's others.
    """
    model = detector_message(pipeline_config)
    post_processing = model.post_processing if hasattr(model, "post_processing") else model.second_stage_post_processing
    nms = post_processing.batch_non_max_suppression
    for name in _UNKNOWN:
        if getattr(nms, name):
            raise ConfigError(
                f"pipeline.config: batch_non_max_suppression has {name}, which the ONNX file cannot have: "
                f"remove it there"
            )
    return NmsSettings(nms.score_threshold, nms.iou_threshold, nms.max_detections_per_class, nms.max_total_detections)


def add_nms(
    nodes: Nodes,
    settings: NmsSettings,
    *,
    boxes: str,
    scores: str,
    anchors: int,
    num_classes: int,
    names: Mapping[str, str] = _GRAPH_OUTPUTS,
) -> None:
    """Add the nodes that make the graph's four outputs.

    Args:
        nodes: of the graph.
        settings: of the NMS.
        boxes: float32 `(B, anchors, 4)` `[ymin, xmin, ymax, xmax]` in 0..1, beyond it where a box leaves the image.
        scores: float32 `(B, anchors, num_classes)`.
        anchors: boxes in an image.
        num_classes: without background.
        names: of what comes out, by the names of the graph's outputs.
    """
    by_class = nodes.add("Transpose", [scores], "scores_by_class", perm=[0, 2, 1])
    selected = nodes.add(
        "NonMaxSuppression",
        [
            boxes,
            by_class,
            nodes.constant("max_per_class", settings.max_per_class, np.int64),
            nodes.constant("iou_threshold", settings.iou_threshold, np.float32),
            nodes.constant("score_threshold", settings.score_threshold, np.float32),
        ],
        "selected",
    )
    clipped = _add_clip(nodes, boxes)
    best = _add_selected_scores(nodes, selected, by_class, _add_areas(nodes, clipped))
    _add_best(nodes, best, clipped, settings.max_total, anchors, num_classes, names)


def _add_clip(nodes: Nodes, boxes: str) -> str:
    bounds = [nodes.constant("window_min", 0, np.float32), nodes.constant("window_max", 1, np.float32)]
    return nodes.add("Clip", [boxes, *bounds], "clipped_boxes")


def _add_areas(nodes: Nodes, boxes: str) -> str:
    """`(B, anchors)` areas of boxes."""
    axis = nodes.constant("last_axis", [-1], np.int64)
    corners = [nodes.constant(f"corner_{i}", [i], np.int64) for i in (0, 2, 4)]
    near = nodes.add("Slice", [boxes, corners[0], corners[1], axis], "near_corners")
    far = nodes.add("Slice", [boxes, corners[1], corners[2], axis], "far_corners")
    sides = nodes.add("Sub", [far, near], "sides")
    return nodes.add("ReduceProd", [sides], "areas", axes=[-1], keepdims=0)


def _add_selected_scores(nodes: Nodes, selected: str, by_class: str, areas: str) -> str:
    """`(B, num_classes, anchors)` scores: those of `selected` (rows of image, class, box), -1 for what is no detection.

    A box of which nothing lies inside of the image is none; it has had its part in the NMS all the same.
    """
    none = nodes.constant("none", _NONE, np.float32)
    image_and_box = nodes.add(
        "Gather", [selected, nodes.constant("image_and_box", [0, 2], np.int64)], "boxes_of", axis=1
    )
    area = nodes.add("GatherND", [areas, image_and_box], "selected_areas")
    is_inside = nodes.add("Greater", [area, nodes.constant("zero", 0, np.float32)], "is_inside")
    score = nodes.add("GatherND", [by_class, selected], "selected_scores")
    kept = nodes.add("Where", [is_inside, score, none], "kept_scores")
    shape = nodes.add("Shape", [by_class], "scores_shape")
    empty = nodes.add("Expand", [none, shape], "no_scores")
    return nodes.add("ScatterND", [empty, selected, kept], "scores_or_none")


def _add_best(
    nodes: Nodes, scores: str, boxes: str, max_total: int, anchors: int, num_classes: int, names: Mapping[str, str]
) -> None:
    """The outputs: the `max_total` best of `scores` in each image, what is no detection as zeros, its class as 1."""
    row = nodes.constant("row", [0, anchors * num_classes], np.int64)
    flat = nodes.add("Reshape", [scores, row], "scores_in_a_row")
    if anchors * num_classes < max_total:
        missing = nodes.constant("missing", [0, 0, 0, max_total - anchors * num_classes], np.int64)
        flat = nodes.add("Pad", [flat, missing, nodes.constant("padding", _NONE, np.float32)], "scores_in_a_long_row")
    best, places = f"{nodes.prefix}best_scores", f"{nodes.prefix}best_places"
    nodes.append("TopK", [flat, nodes.constant("max_total", [max_total], np.int64)], [best, places], axis=1)
    zero = nodes.constant("no_score", 0, np.float32)
    is_found = nodes.add("GreaterOrEqual", [best, zero], "is_found")
    nodes.append("Where", [is_found, best, zero], [names[SCORES]])

    length = nodes.constant("anchors", anchors, np.int64)
    number = nodes.add("Div", [places, length], "class_numbers")
    as_float = nodes.add("Cast", [number], "class_numbers_float", to=TensorProto.FLOAT)
    class_index = nodes.add("Where", [is_found, as_float, zero], "class_indices")
    nodes.append("Add", [class_index, nodes.constant("first_id", FIRST_ID, np.float32)], [names[CLASSES]])

    last = nodes.constant("behind", [-1], np.int64)
    place = nodes.add("Unsqueeze", [nodes.add("Mod", [places, length], "box_places"), last], "box_rows")
    found = nodes.add("GatherND", [boxes, place], "best_boxes", batch_dims=1)
    nodes.append("Where", [nodes.add("Unsqueeze", [is_found, last], "is_found_box"), found, zero], [names[BOXES]])

    counted = nodes.add("Cast", [is_found], "is_found_float", to=TensorProto.FLOAT)
    nodes.append("ReduceSum", [counted, nodes.constant("columns", [1], np.int64)], [names[COUNT]], keepdims=0)
