"""The detector as the graph that TFLite's converter takes: the network, then TFLite's own detection operation.

The graph gives what the OD API's `export_tflite_graph_lib_tf2` gives, so that TFLite's detection libraries know it, but
for one attribute: the operation gives several classes for a box. It compares boxes over all classes together; with one
class a box, as in the OD API's graph, of two classes that resemble each other the less likely one is lost, where the
SavedModel, which compares class by class, finds both. The operation's other kind, class by class, is no way out: it
loses classes silently where the interpreter's threads do not divide their number (seen with TensorFlow 2.15 and 2.21).

A model that finds peaks needs no such operation: TFLite's own find them, and the outputs are the same.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from object_detection.builders import post_processing_builder
from object_detection.export_tflite_graph_lib_tf2 import get_const_center_size_encoded_anchors

from tasks.detector.network import Network, set_learning_phase
from tasks.detector.pipeline_config import has_suppression
from tasks.model.onnx_file import BOXES, CLASSES, COUNT, SCORES
from tasks.model.variants import classes_a_box

_FUNCTION = "TFLite_Detection_PostProcess"
# What the names of operations that find peaks begin with.
PEAKS = "peaks"


def tflite_graph(network: Network, pipeline_config: Any, *, max_detections: int) -> Any:
    """A concrete function: float32 `(1, height, width, 3)` in -1..1 in; count, scores, class indices, boxes out.

    The outputs are in the OD API's order, which the libraries expect: the number of detections `(1,)`, scores `(1, N)`,
    classes from 0 `(1, N)`, boxes `(1, N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1, where N is `max_detections` times the
    classes that a box may have. It must be saved and read by the converter, which knows the operation by a mark.
    """
    set_learning_phase(training=False)
    if not has_suppression(pipeline_config):
        return _peaks_graph(network)
    ssd = pipeline_config.model.ssd
    _, to_scores = post_processing_builder.build(ssd.post_processing)
    post_process = _post_process(ssd, max_detections)

    def detect(image: tf.Tensor) -> tuple[tf.Tensor, ...]:
        raw = network.model.predict(_preprocess(network, image), true_image_shapes=None)
        scores = to_scores(raw["class_predictions_with_background"])
        _, anchors = get_const_center_size_encoded_anchors(raw["anchors"])
        boxes, classes, found, count = post_process(raw["box_encodings"], scores, anchors)
        return count, found, classes, boxes

    return _traced(detect, network)


def _peaks_graph(network: Network) -> Any:
    """The graph of a model that finds peaks; how many it gives, its pipeline.config says."""

    def detect(image: tf.Tensor) -> tuple[tf.Tensor, ...]:
        raw = network.model.predict(_preprocess(network, image), None)
        with tf.name_scope(PEAKS):
            found = network.architecture.postprocess(raw, None)
        return found[COUNT], found[SCORES], found[CLASSES], found[BOXES]

    return _traced(detect, network)


def _traced(detect: Any, network: Network) -> Any:
    spec = tf.TensorSpec([1, network.height, network.width, 3], tf.float32, name="input")
    return tf.function(detect, input_signature=[spec], autograph=False).get_concrete_function()


def _preprocess(network: Network, image: tf.Tensor) -> tf.Tensor:
    """What the backbone was trained on, from pixels in -1..1: those themselves for MobileNets, others for ResNets."""
    preprocess = network.architecture.preprocess
    black_and_white = np.array([0.0, 255.0], np.float32).reshape(1, 1, 2, 1) * np.ones((1, 1, 1, 3), np.float32)
    with tf.init_scope():
        as_trained = preprocess(tf.constant(black_and_white)).numpy()
    if np.allclose(as_trained, black_and_white / 127.5 - 1.0):
        return image
    return preprocess((image + 1.0) * 127.5)


def _post_process(ssd: Any, max_detections: int) -> Any:
    """A function that computes nothing, and stands for the operation: the converter puts it in its place."""
    nms, coder = ssd.post_processing.batch_non_max_suppression, ssd.box_coder.faster_rcnn_box_coder
    attributes = {
        "max_detections": f"i: {max_detections}",
        "max_classes_per_detection": f"i: {classes_a_box(ssd.num_classes)}",
        "use_regular_nms": "b: false",
        "nms_score_threshold": f"f: {nms.score_threshold:f}",
        "nms_iou_threshold": f"f: {nms.iou_threshold:f}",
        "y_scale": f"f: {coder.y_scale:f}",
        "x_scale": f"f: {coder.x_scale:f}",
        "h_scale": f"f: {coder.height_scale:f}",
        "w_scale": f"f: {coder.width_scale:f}",
        "num_classes": f"i: {ssd.num_classes}",
    }
    listed = " ".join(f'attr {{ key: "{key}" value {{ {value} }} }}' for key, value in attributes.items())

    @tf.function(experimental_implements=f'name: "{_FUNCTION}" {listed}')
    def post_process(box_encodings: Any, class_predictions: Any, anchors: Any) -> tuple[Any, ...]:
        return tuple(tf.constant(0.0, name=name) for name in ("boxes", "classes", "scores", "count"))

    return post_process
