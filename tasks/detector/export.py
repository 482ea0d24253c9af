"""A trained network as files that need nothing of this project: a SavedModel and a TFLite model."""

import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf
from object_detection import export_tflite_graph_lib_tf2

from tasks.detector.network import Network

_OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


class _Serving(tf.Module):
    """What the SavedModel serves; names and meaning are those of the OD API's exporter."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self._model = network.model  # tracked, so that its variables are saved

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="input_tensor")])
    def __call__(self, input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        network = self._network
        images = tf.image.resize(tf.cast(input_tensor, tf.float32), [network.height, network.width])
        raw = network.forward(images, training=False)
        found = network.model.postprocess(raw, network.shapes(images))
        outputs = {name: found[name] for name in _OUTPUTS}
        # Ids count from 1, as in the label map.
        return {**outputs, "detection_classes": outputs["detection_classes"] + 1.0}


def export_saved_model(network: Network, folder: Path) -> None:
    """A SavedModel: uint8 `(B, H, W, 3)` of any H and W in, the OD API exporter's outputs out.

    `detection_boxes` `(B, N, 4)` are `[ymin, xmin, ymax, xmax]` in 0..1, `detection_classes` count from 1.
    """
    serving = _Serving(network)
    tf.saved_model.save(serving, str(folder), signatures={"serving_default": serving.__call__})


def export_tflite(network: Network, pipeline_config: Any, path: Path, *, max_detections: int) -> None:
    """A TFLite model with TFLite's own NMS: float32 `(1, height, width, 3)` in -1..1 in; boxes, ids from 0, scores out.

    The OD API's module is used, so that the model is one that TFLite's detection libraries know.
    """
    tf.keras.backend.set_learning_phase(0)
    module = export_tflite_graph_lib_tf2.SSDModule(pipeline_config, network.model, max_detections, use_regular_nms=True)
    signature = module.inference_fn.get_concrete_function(tf.TensorSpec(module.input_shape(), tf.float32, name="input"))
    with tempfile.TemporaryDirectory() as folder:
        # The converter recognises the NMS by an annotation that only a SavedModel carries.
        tf.saved_model.save(module, folder, signatures=signature)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.allow_custom_ops = True
        content = converter.convert()
    path.write_bytes(content)


def load_weights(network: Network, prefix: Path) -> None:
    """Fill the network from a checkpoint that training wrote; anything missing is an error of TensorFlow's."""
    tf.train.Checkpoint(model=network.model).read(str(prefix)).assert_existing_objects_matched().expect_partial()
