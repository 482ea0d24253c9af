"""TFLite's interpreter as a tool: the names of operations, and what they give between input and output."""

import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Floats = npt.NDArray[np.float32]


def every_tensor(model: bytes, tensors: Collection[int], images: Iterable[Floats]) -> Iterator[dict[int, Floats]]:
    """The values of `tensors` for each image, by their indices."""
    interpreter = _interpreter(model)
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    for image in images:
        interpreter.set_tensor(entry["index"], image)
        interpreter.invoke()
        yield {tensor: interpreter.get_tensor(tensor) for tensor in tensors}


def tensor_ranges(model: bytes, images: Iterable[Floats]) -> dict[int, tuple[float, float]]:
    """The least and the greatest value of the input and of what each operation gives in float32, over all images."""
    interpreter = _interpreter(model)
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    given = {entry["index"], *(int(i) for each in interpreter._get_ops_details() for i in each["outputs"])}
    floats = [t["index"] for t in interpreter.get_tensor_details() if t["index"] in given and t["dtype"] is np.float32]
    ranges = dict.fromkeys(floats, (np.inf, -np.inf))
    for image in images:
        interpreter.set_tensor(entry["index"], image)
        interpreter.invoke()
        for tensor, (least, greatest) in ranges.items():
            value = interpreter.get_tensor(tensor)
            ranges[tensor] = min(least, float(value.min())), max(greatest, float(value.max()))
    return ranges


def operation_names(model: bytes) -> list[str]:
    """The names of what the operations of a TFLite file give, by which its layers are known."""
    interpreter = _interpreter(model)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    # Not in TensorFlow's public interface; its debugger of quantised models reads them in this way.
    return [names[i] for each in interpreter._get_ops_details() for i in each["outputs"]]


def _interpreter(model: bytes) -> Any:
    with warnings.catch_warnings():
        # That it is to be replaced by LiteRT's (docs/adr/0002), and that keeping all tensors takes memory.
        warnings.filterwarnings("ignore", message=r"\s*Warning: ")
        return tf.lite.Interpreter(
            model_content=model,
            experimental_preserve_all_tensors=True,
            # A delegate runs many operations as one, and what lies between them is never there.
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
