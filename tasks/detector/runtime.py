"""TensorFlow's settings for a run."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import backprop

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
        _add_gradients_in_order()
    if precision == "auto":
        precision = "bfloat16" if gpus and all(_computes_bfloat16(gpu) for gpu in gpus) else "float32"
    # bfloat16 has float32's range, so that the loss needs no scaling.
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    return bool(gpus)


def _add_gradients_in_order() -> None:
    """Have the gradients of a tensor that is used three times or more added in a fixed order.

    TensorFlow adds them with one `AddN`. Where a step needs more memory than Grappler believes a CPU to have, its
    memory optimizer turns an `AddN` of three inputs or more into `AssignAdd`s, which run in any order whatever
    `enable_op_determinism` says: the last bits of a sum then depend on what else the machine does. Sums of pairs would
    be joined to one `AddN` again; the sum of a stack stays.
    """
    pywrap_tfe.TFE_Py_RegisterVSpace(backprop._default_vspace._replace(aggregate_fn=_added_in_order))


def _added_in_order(gradients: Sequence[Any]) -> Any:
    # A list of tensors, as of a loop, can be added but not stacked.
    if len(gradients) < 3 or any(
        isinstance(gradient, tf.IndexedSlices) or gradient.dtype == tf.variant for gradient in gradients
    ):
        return backprop._aggregate_grads(gradients)
    return tf.reduce_sum(tf.stack(gradients), axis=0)


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
