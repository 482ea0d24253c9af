"""A trained network as files that need nothing of this project: a SavedModel and a TFLite model."""

import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf
from object_detection import export_tflite_graph_lib_tf2

from tasks.detector.network import Network, set_learning_phase

_OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


def export_saved_model(network: Network, folder: Path) -> None:
    """A SavedModel: uint8 `(B, H, W, 3)` of any H and W in, the OD API exporter's outputs out.

    `detection_boxes` `(B, N, 4)` are `[ymin, xmin, ymax, xmax]` in 0..1, `detection_classes` count from 1.
    """

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="input_tensor")], autograph=False)
    def serve(input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        images = tf.image.resize(tf.cast(input_tensor, tf.float32), [network.height, network.width])
        raw = network.forward(images, training=False)
        found = network.model.postprocess(raw, network.shapes(images))
        outputs = {name: found[name] for name in _OUTPUTS}
        # Ids count from 1, as in the label map.
        return {**outputs, "detection_classes": outputs["detection_classes"] + 1.0}

    _save(network, serve.get_concrete_function(), folder)


def export_tflite(network: Network, pipeline_config: Any, path: Path, *, max_detections: int) -> None:
    """A TFLite model with TFLite's own NMS: float32 `(1, height, width, 3)` in -1..1 in; boxes, ids from 0, scores out.

    The OD API's module is used, so that the model is one that TFLite's detection libraries know. Of TFLite's two kinds
    of NMS it is the one over all classes together: the other, class by class, loses classes silently when the
    interpreter's threads do not divide their number (seen with TensorFlow 2.15: 3 classes, 2 threads, a third of them).
    """
    set_learning_phase(training=False)
    module = export_tflite_graph_lib_tf2.SSDModule(
        pipeline_config, network.model, max_detections, use_regular_nms=False
    )
    signature = module.inference_fn.get_concrete_function(tf.TensorSpec(module.input_shape(), tf.float32, name="input"))
    with tempfile.TemporaryDirectory() as folder:
        # The converter recognises the NMS by an annotation that only a SavedModel carries.
        _save(network, signature, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.allow_custom_ops = True
        content = converter.convert()
    path.write_bytes(content)


def load_weights(network: Network, prefix: Path) -> None:
    """Fill the network from a checkpoint that training wrote; anything missing is an error of TensorFlow's."""
    tf.train.Checkpoint(model=network.model).read(str(prefix)).assert_existing_objects_matched().expect_partial()


def _save(network: Network, function: Any, folder: Path) -> None:
    """A SavedModel of one traced function and the variables it uses.

    The model itself is left out: Keras would write a description of every layer, which nobody reads and which takes
    longer than all the rest.
    """
    holder = tf.Module()
    holder.variables_used = list(network.variables.values())
    tf.saved_model.save(holder, str(folder), signatures={"serving_default": function})
