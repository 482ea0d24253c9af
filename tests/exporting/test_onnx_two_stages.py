"""A Faster R-CNN as ONNX gives what its SavedModel gives."""

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper

from tasks.exporting.onnx_two_stages import _to_rois
from tasks.model.onnx_file import INPUT, OUTPUTS
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
    rois = np.asarray(boxes) @ _to_rois([5, 7, 3], size) + 0.5
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


@pytest.mark.slow
@pytest.mark.parametrize("config", [toy_config, dynamic_config], ids=["one box", "a box for each class"])
def test_detections_are_those_of_the_saved_model(config, tmp_path):
    saved_model, file = export_both(tmp_path, config(num_classes=3), CLASSES)
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
                np.testing.assert_allclose(one, other, atol=1e-3, err_msg=name)
