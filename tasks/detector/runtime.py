"""TensorFlow's settings for a run."""

import tensorflow as tf


def prepare_runtime(seed: int) -> None:
    """Seed everything, and on a CPU let every operation be deterministic, so that equal inputs give equal weights."""
    tf.keras.utils.set_random_seed(seed)
    if not tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
