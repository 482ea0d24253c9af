"""TFLite's interpreter as a tool: the names of operations, and what they give between input and output."""

import warnings
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from tasks.ground.process import usable_cores

Floats = npt.NDArray[np.float32]
# Each holds every tensor of the network: 80 MB for 320 px, 320 MB for 640 px, 800 MB for 1024 px. All: 2 GB.
_MOST_INTERPRETERS, _MOST_PIXELS = 4, 2_500_000


class Images(Protocol):
    """Inputs of the model, float32 `(1, height, width, 3)` in -1..1, that can be gone through several times."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[Floats]:
        """One after another."""

    def first(self, count: int) -> "Images":
        """Up to `count` of them."""


def every_tensor(
    model: bytes,
    tensors: Collection[int],
    images: Iterable[Floats],
    measure: Callable[[int, Floats], Any] = lambda tensor, value: value,
    purpose: str | None = None,
) -> Iterator[dict[int, Any]]:
    """For each image, in their order, what `measure` makes of each of `tensors`, given its index and its value.

    Each core works on an image of its own, in one thread, so that no value depends on how many cores there are. With a
    `purpose`, a progress bar shows it.
    """
    free: SimpleQueue[Any] = SimpleQueue()
    first = _interpreter(model)
    _, height, width, *_ = first.get_input_details()[0]["shape"]
    count = at_once(int(height), int(width), usable_cores())
    for interpreter in (first, *(_interpreter(model) for _ in range(count - 1))):
        interpreter.allocate_tensors()
        free.put(interpreter)

    def measured(image: Floats) -> dict[int, Any]:
        interpreter = free.get()
        try:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
            interpreter.invoke()
            return {tensor: measure(tensor, interpreter.get_tensor(tensor)) for tensor in tensors}
        finally:
            free.put(interpreter)

    pool = ThreadPoolExecutor(count)
    try:
        begun: deque[Future[dict[int, Any]]] = deque()
        for image in tqdm(images, desc=f"export: int8, {purpose}", unit="image", disable=purpose is None):
            begun.append(pool.submit(measured, image))
            # One more than there are interpreters, so that none of them waits for the caller.
            if len(begun) > count:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def at_once(height: int, width: int, cores: int) -> int:
    """How many interpreters of a network with this input work side by side, one on each core while memory lasts."""
    return max(1, min(cores, _MOST_INTERPRETERS, _MOST_PIXELS // (height * width)))


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
