"""TFLite's interpreter as a tool: the names of operations, and what they give between input and output."""

import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Floats = npt.NDArray[np.float32]


class Images(Protocol):
    """Inputs of the model, float32 `(1, height, width, 3)` in -1..1, that can be gone through several times."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[Floats]:
        """One after another."""

    def first(self, count: int) -> "Images":
        """Up to `count` of them."""


def every_tensor(model: bytes, tensors: Collection[int], images: Iterable[Floats]) -> Iterator[dict[int, Floats]]:
    """The values of `tensors` for each image, by their indices."""
    interpreter = _interpreter(model)
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    for image in images:
        interpreter.set_tensor(entry["index"], image)
        interpreter.invoke()
        yield {tensor: interpreter.get_tensor(tensor) for tensor in tensors}


def float_tensors(model: bytes) -> list[int]:
    """The indices of the input and of what operations give in float32."""
    interpreter = _interpreter(model)
    # Not in TensorFlow's public interface; its debugger of quantised models reads operations in this way.
    given = {int(i) for each in interpreter._get_ops_details() for i in each["outputs"]}
    given |= {int(each["index"]) for each in interpreter.get_input_details()}
    details = interpreter.get_tensor_details()
    return [int(each["index"]) for each in details if each["index"] in given and each["dtype"] is np.float32]


def operation_names(model: bytes) -> list[str]:
    """The names of what the operations of a TFLite file give, by which its layers are known."""
    interpreter = _interpreter(model)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
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
