"""What the stock training loop needs to run on the tested set of packages; nothing here changes what it computes.

`control_flow_ops.case` and `.cond`: its input code reads records with tf_slim's `tfexample_decoder`, which takes both
from `tensorflow.python.ops.control_flow_ops`. TensorFlow 2.15 no longer has them there; its names for them
are `tf.case` and `tf.cond`. Without the fix the loop crashes at its first record.

`cv2`: the loop's module imports the scorers of every data set there is, and that of LVIS imports OpenCV to draw with.
Training draws nothing, so an empty module is enough, and the comparison does not need OpenCV.
"""

import sys
from importlib.util import find_spec
from types import ModuleType

import tensorflow as tf
from tensorflow.python.ops import control_flow_ops


def fix_stock_loop() -> None:
    """Add what is missing; call it before `object_detection.model_lib_v2` is imported."""
    control_flow_ops.case, control_flow_ops.cond = tf.case, tf.cond
    if "cv2" not in sys.modules and find_spec("cv2") is None:
        sys.modules["cv2"] = ModuleType("cv2")
