"""TensorFlow's settings for a run."""

import tensorflow as tf

# NVIDIA's Ampere is the first generation that computes with bfloat16 at full speed.
_BFLOAT16_SINCE = (8, 0)


def prepare_runtime(seed: int, precision: str = "float32") -> bool:
    """Seed everything, set the precision, and without a GPU make every operation deterministic; True with a GPU.

    On a CPU, equal inputs then give equal weights. `precision` is `train.precision`; variables are always float32.
    """
    tf.keras.utils.set_random_seed(seed)
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        tf.config.experimental.enable_op_determinism()
    if precision == "auto":
        precision = "bfloat16" if gpus and all(_computes_bfloat16(gpu) for gpu in gpus) else "float32"
    # bfloat16 has float32's range, so that the loss needs no scaling.
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    return bool(gpus)


def gpu_peak_mb() -> float | None:
    """The most memory, in 10^6 bytes, that tensors held at once on one GPU, the maximum of all; None without a GPU."""
    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        return None
    return (
        float(max(tf.config.experimental.get_memory_info(gpu.name.removeprefix("/device:"))["peak"] for gpu in gpus))
        / 1e6
    )


def _computes_bfloat16(gpu: tf.config.PhysicalDevice) -> bool:
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
    return capability is not None and tuple(capability) >= _BFLOAT16_SINCE
