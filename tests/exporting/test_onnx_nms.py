"""The NMS of an ONNX file beside the OD API's own, on the same boxes and scores: equal to the last bit."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from object_detection.core import post_processing
from onnx import TensorProto, helper

from tasks.detector.model_proto import pipeline_proto
from tasks.errors import ConfigError
from tasks.exporting.onnx_nms import NmsSettings, add_nms, read_nms
from tasks.exporting.onnx_nodes import Nodes
from tasks.model.definitions import MODELS
from tasks.model.onnx_file import BOXES, CLASSES, COUNT, OPSET, OUTPUTS, SCORES

RANKS = {BOXES: 3, SCORES: 2, CLASSES: 2, COUNT: 1}


def run_onnx(settings, boxes, scores):
    _, anchors, num_classes = scores.shape
    nodes = Nodes("nms/")
    add_nms(nodes, settings, boxes="boxes", scores="scores", anchors=anchors, num_classes=num_classes)
    graph = helper.make_graph(
        nodes.nodes,
        "nms",
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["batch", anchors, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", anchors, num_classes]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank) for name, rank in RANKS.items()],
        nodes.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(list(OUTPUTS), {"boxes": boxes, "scores": scores})


def run_od_api(settings, boxes, scores):
    found = post_processing.batch_multiclass_non_max_suppression(
        tf.constant(boxes[:, :, np.newaxis]),
        tf.constant(scores),
        score_thresh=settings.score_threshold,
        iou_thresh=settings.iou_threshold,
        max_size_per_class=settings.max_per_class,
        max_total_size=settings.max_total,
        clip_window=tf.constant([0.0, 0.0, 1.0, 1.0]),
    )
    return [found[0].numpy(), found[1].numpy(), found[2].numpy() + 1, found[5].numpy()]


def assert_equal(settings, all_boxes, all_scores):
    boxes, scores = np.asarray(all_boxes, np.float32), np.asarray(all_scores, np.float32)
    ours = run_onnx(settings, boxes, scores)
    for name, value, expected in zip(OUTPUTS, ours, run_od_api(settings, boxes, scores), strict=True):
        np.testing.assert_array_equal(value, expected, name)
    return ours


def drawn(seed, *, batch, anchors, num_classes, steps):
    """Boxes in and around the image, some of no area; with `steps` on a grid, so that scores and overlaps are equal."""
    rng = np.random.default_rng(seed)
    near = rng.uniform(-0.3, 1.1, (batch, anchors, 2))
    boxes = np.concatenate([near, near + rng.uniform(0, 0.6, (batch, anchors, 2))], axis=2)
    scores = rng.uniform(0, 1, (batch, anchors, num_classes))
    if steps:
        boxes, scores = np.round(boxes * steps) / steps, np.round(scores * steps) / steps
    return boxes, scores


@pytest.mark.parametrize("steps", [0, 8], ids=["any numbers", "a grid with equal scores"])
@pytest.mark.parametrize("num_classes", [1, 4])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "settings",
    [
        NmsSettings(1e-8, 0.6, 100, 100),
        NmsSettings(0.5, 0.5, 100, 100),
        NmsSettings(0.0, 0.25, 5, 12),
        NmsSettings(0.0, 1.0, 300, 1000),
    ],
    ids=["the default", "half", "few", "more than there are"],
)
def test_drawn_boxes_give_what_the_od_api_gives(settings, batch, num_classes, steps):
    for seed in range(3):
        boxes, scores = drawn(seed, batch=batch, anchors=120, num_classes=num_classes, steps=steps)
        *_, count = assert_equal(settings, boxes, scores)
        assert count.max() > 0


def test_of_two_boxes_that_overlap_the_better_one_of_a_class_is_kept():
    boxes = [[[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.4]]]
    found, scores, classes, count = assert_equal(NmsSettings(0.1, 0.6, 3, 3), boxes, [[[0.9, 0.3], [0.8, 0.0]]])
    assert count == [2]
    assert scores[0].tolist() == pytest.approx([0.9, 0.3, 0])
    assert classes[0].tolist() == [1, 2, 1]
    np.testing.assert_array_equal(found[0], np.array([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5], [0, 0, 0, 0]], np.float32))


def test_a_box_outside_of_the_image_is_no_detection_but_suppresses_others():
    """Both boxes lie in the image's row -0.2..0; the second reaches into it."""
    boxes = [[[-0.2, 0, 0, 1], [-0.2, 0, 0.02, 1], [0.5, 0, 1, 1]]]
    found, _, _, count = assert_equal(NmsSettings(0.1, 0.6, 3, 3), boxes, [[[0.9], [0.8], [0.7]]])
    assert count == [1]
    assert found[0, 0].tolist() == [0.5, 0, 1, 1]


def test_a_box_is_cut_at_the_image_edge():
    found, *_ = assert_equal(NmsSettings(0.1, 0.6, 2, 2), [[[-1, 0.5, 2, 3]]], [[[0.9]]])
    assert found[0, 0].tolist() == [0, 0.5, 1, 1]


def test_one_image_without_a_detection_does_not_touch_the_others():
    boxes = [[[0, 0, 0.5, 0.5]], [[0, 0, 0.5, 0.5]], [[0, 0, 0.5, 0.5]]]
    *_, count = assert_equal(NmsSettings(0.5, 0.6, 2, 2), boxes, [[[0.9]], [[0.1]], [[0.8]]])
    assert count.tolist() == [1, 0, 1]


def test_no_detection_at_all_gives_zeros():
    found, scores, classes, count = assert_equal(NmsSettings(0.5, 0.6, 2, 2), [[[0, 0, 1, 1]]], [[[0.1]]])
    assert count.tolist() == [0]
    assert not found.any()
    assert not scores.any()
    assert classes.tolist() == [[1, 1]]


@pytest.fixture
def config():
    return pipeline_proto(MODELS["ssd_mobilenet_v2_fpnlite_320x320"])


def test_the_settings_are_those_of_the_pipeline_config(config):
    nms = config.model.ssd.post_processing.batch_non_max_suppression
    nms.score_threshold, nms.iou_threshold, nms.max_detections_per_class, nms.max_total_detections = 0.25, 0.5, 7, 9
    assert read_nms(config) == NmsSettings(0.25, 0.5, 7, 9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use_static_shapes", True),
        ("use_class_agnostic_nms", True),
        ("use_combined_nms", True),
        ("soft_nms_sigma", 0.5),
    ],
)
def test_another_nms_is_refused(config, name, value):
    setattr(config.model.ssd.post_processing.batch_non_max_suppression, name, value)
    with pytest.raises(ConfigError, match=f"batch_non_max_suppression has {name}, .*: remove it"):
        read_nms(config)
