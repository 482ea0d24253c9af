"""The SavedModel of a trained network, and the folder that TensorFlow Serving reads it from."""

import os
import shutil
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

from tasks.detector.canvas import on_canvas
from tasks.detector.network import Network
from tasks.model.onnx_file import CLASSES, FIRST_ID, OUTPUTS

# TensorFlow Serving takes folders whose names are numbers for versions, and serves the highest.
_SERVING = Path("serving") / "1"


def export_saved_model(network: Network, folder: Path) -> None:
    """A SavedModel: uint8 `(B, H, W, 3)` of any H and W in, the OD API exporter's outputs out.

    `detection_boxes` `(B, N, 4)` are `[ymin, xmin, ymax, xmax]` in 0..1, `detection_classes` count from 1.
    """

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="input_tensor")], autograph=False)
    def serve(input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        return served_outputs(network, input_tensor)

    save_function(network, serve.get_concrete_function(), folder)


def served_outputs(network: Network, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
    """What the SavedModel gives for uint8 photos `(B, H, W, 3)`, all float32."""
    images, shape = on_canvas(tf.cast(pixels, tf.float32), network.resizer)
    shapes = tf.tile([shape], [tf.shape(images)[0], 1])
    raw = network.forward(images, shapes, training=False)
    found = network.detections(raw, shapes)
    outputs = {name: found[name] for name in OUTPUTS}
    # Ids count from 1, as in the label map.
    return {**outputs, CLASSES: outputs[CLASSES] + FIRST_ID}


def save_function(network: Network, function: Any, folder: Path) -> None:
    """A SavedModel of one traced function and the variables it uses.

    The model itself is left out: Keras would write a description of every layer, which nobody reads and which takes
    longer than all the rest.
    """
    holder = tf.Module()
    holder.variables_used = list(network.variables.values())
    tf.saved_model.save(holder, str(folder), signatures={"serving_default": function})
    # It holds a random number, by which the same model would be another one each time. TensorFlow loads without it.
    (folder / "fingerprint.pb").unlink(missing_ok=True)


def load_weights(network: Network, prefix: Path) -> None:
    """Fill the network from a checkpoint that training wrote; anything missing is an error of TensorFlow's."""
    tf.train.Checkpoint(model=network.model).read(str(prefix)).assert_existing_objects_matched().expect_partial()


def lay_out_for_serving(exported: Path, how: Literal["link", "copy", "off"]) -> None:
    """Put `exported`/saved_model at `exported`/serving/1, too, which TensorFlow Serving mounts; `off` does nothing.

    Links are hard links: they take no space, and hold where the folder is mounted without what lies beside it.
    """
    if how == "off":
        return
    link = os.link if how == "link" else shutil.copy2
    shutil.copytree(exported / "saved_model", exported / _SERVING, copy_function=link)
