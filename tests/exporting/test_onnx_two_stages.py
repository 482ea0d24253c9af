"""A Faster R-CNN as ONNX gives what its SavedModel gives, without and with an FPN."""

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from object_detection.utils import ops
from onnx import TensorProto, helper

from tasks.detector.architectures.crops import crop_with_little_memory
from tasks.exporting.onnx_crops import FeatureMap, add_crops, to_rois
from tasks.exporting.onnx_nodes import Nodes
from tasks.model.onnx_file import INPUT, OPSET, OUTPUTS
from tests.detector import toy_faster_rcnn_fpn
from tests.detector.toy_faster_rcnn import dynamic_config, toy_config
from tests.exporting.toy_export import export_both

CLASSES = ("cat", "dög", "bird")
# Below it, detections with equal scores may come in another order.
LEAST_SCORE = 0.05


def crops(boxes: tuple[tuple[float, ...], ...], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Of noise, as TensorFlow cuts them out, and as RoiAlign does with our regions; both `(N, size, size, 3)`."""
    features = np.random.default_rng(1).normal(size=(1, 5, 7, 3)).astype(np.float32)
    wanted = tf.image.crop_and_resize(features, boxes, [0] * len(boxes), [size, size]).numpy()
    node = roi_align(size)
    rois = np.asarray(boxes) @ to_rois(5, 7, size) + 0.5
    numbers = np.zeros(len(boxes), np.int64)
    inputs = {"x": features.transpose(0, 3, 1, 2), "rois": rois.astype(np.float32), "numbers": numbers}
    (found,) = node.run(None, inputs)
    return wanted, found.transpose(0, 2, 3, 1)


def roi_align(size: int) -> onnxruntime.InferenceSession:
    node = helper.make_node(
        "RoiAlign",
        ["x", "rois", "numbers"],
        ["y"],
        mode="avg",
        output_height=size,
        output_width=size,
        sampling_ratio=1,
        coordinate_transformation_mode="half_pixel",
    )
    values = [("x", TensorProto.FLOAT, 4), ("rois", TensorProto.FLOAT, 2), ("numbers", TensorProto.INT64, 1)]
    inputs = [helper.make_tensor_value_info(name, kind, [None] * rank) for name, kind, rank in values]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)]
    graph = helper.make_graph([node], "one", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    "box",
    [(0.1, 0.2, 0.7, 0.9), (0.0, 0.0, 0.999, 0.999), (0.3, 0.3, 0.301, 0.301), (0.0, 0.0, 0.0, 0.0)],
    ids=["a box", "the whole image", "less than a cell", "none"],
)
def test_a_crop_interpolates_where_tensorflow_does(box):
    wanted, found = crops((box,), 4)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def crops_of_levels(maps: list[np.ndarray], boxes: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """Of our nodes; `maps` are `(B, height, width, channels)`, the crops `(B * N, 4, 4, channels)`."""
    named = [FeatureMap(f"map_{level}", *each.shape[1:]) for level, each in enumerate(maps)]
    nodes = Nodes("crops/")
    add_crops(nodes, named, boxes="boxes", canvas=canvas, size=4, output="found")
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank) for name, rank in
              (("boxes", 3), *((each.name, 4) for each in named))]  # fmt: skip
    outputs = [helper.make_tensor_value_info("found", TensorProto.FLOAT, [None] * 4)]
    graph = helper.make_graph(nodes.nodes, "crops", inputs, outputs, nodes.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = {each.name: values.transpose(0, 3, 1, 2) for each, values in zip(named, maps, strict=True)}
    (found,) = session.run(None, {"boxes": boxes, **values})
    return found.transpose(0, 2, 3, 1)


@pytest.mark.parametrize("levels", [2, 5])
@pytest.mark.parametrize(
    ("largest", "canvas"),
    [(1.0, (640, 640)), (1.0, (448, 448)), (0.01, (64, 96))],
    ids=["many levels", "a level's own border", "the finest level alone"],
)
def test_each_box_is_cut_out_of_the_level_that_the_od_api_picks(levels, largest, canvas):
    rng = np.random.default_rng(3)
    maps = [rng.normal(size=(2, 32 >> level, 48 >> level, 3)).astype(np.float32) for level in range(levels)]
    near = rng.uniform(0, 0.99 - 0.9 * largest, (2, 40, 2))
    boxes = np.concatenate([near, near + largest * rng.uniform(0, 0.9, (2, 40, 2)) ** 2], axis=-1)
    # One without area, as those that fill up the proposals of an image; one that is the whole image.
    boxes[:, 0], boxes[:, 1] = 0, (0, 0, largest, largest)
    boxes = boxes.astype(np.float32)
    ratio = tf.sqrt(tf.cast(canvas[0] * canvas[1], tf.float32)) / 224.0
    picked = ops.fpn_feature_levels(levels, levels - 2, ratio, tf.constant(boxes))
    assert (len(np.unique(picked)) > 1) == (largest == 1.0)
    wanted = crop_with_little_memory([tf.constant(each) for each in maps], tf.constant(boxes), picked, [4, 4])
    found = crops_of_levels(maps, boxes, canvas)
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        toy_config(num_classes=3),
        dynamic_config(num_classes=3),
        # At 256 pixels proposals are cut out of four levels, at 72 some anchors lie beyond the input.
        toy_faster_rcnn_fpn.dynamic_config(num_classes=3, side_px=256),
        toy_faster_rcnn_fpn.toy_config(num_classes=3, side_px=72),
    ],
    ids=["one box", "a box for each class", "FPN", "FPN, not a multiple of 32"],
)
def test_detections_are_those_of_the_saved_model(config, tmp_path):
    saved_model, file = export_both(tmp_path, config, CLASSES)
    serve = tf.saved_model.load(str(saved_model)).signatures["serving_default"]
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for shape in ((1, 65, 201), (2, 480, 640), (3, 31, 17)):
        images = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
        wanted = {name: value.numpy() for name, value in serve(input_tensor=tf.constant(images)).items()}
        found = dict(zip(OUTPUTS, session.run(list(OUTPUTS), {INPUT: images}), strict=True))
        counts = (wanted["detection_scores"] > LEAST_SCORE).sum(axis=1)
        assert counts.min() > 3
        for number, count in enumerate(counts):
            for name in ("detection_boxes", "detection_scores", "detection_classes"):
                assert found[name].shape == wanted[name].shape
                one, other = (values[name][number, :count] for values in (found, wanted))
                # Rounding moves proposals by 1e-4 of the canvas, and crops and scores with them.
                np.testing.assert_allclose(one, other, atol=3e-3, err_msg=name)
