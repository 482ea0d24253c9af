"""Constants of a TFLite file, read from its buffers and put back."""

from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

_TYPES: dict[int, Any] = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.INT32: np.int32,
}


def read_content(model: bytes) -> Any:
    """The file's tables as objects, as flatbuffer_utils has them."""
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def file_of(content: Any) -> bytes:
    """The file with these tables."""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def constant(content: Any, tensor: int) -> npt.NDArray[Any]:
    """The values of a constant tensor of float32, int8 or int32, in its shape."""
    table = content.subgraphs[0].tensors[tensor]
    data = bytes(content.buffers[table.buffer].data)
    values: npt.NDArray[Any] = np.frombuffer(data, _TYPES[table.type]).reshape(table.shape)
    return values


def put_constant(content: Any, tensor: int, values: npt.NDArray[Any]) -> None:
    """Give a constant tensor other values; tensors that shared a buffer with it keep theirs."""
    table = content.subgraphs[0].tensors[tensor]
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.astype(_TYPES[table.type]).tobytes(), np.uint8)
    if sum(each.buffer == table.buffer for each in content.subgraphs[0].tensors) == 1:
        content.buffers[table.buffer] = buffer
        return
    # Equal constants, such as biases of 0, lie in the file once.
    table.buffer = len(content.buffers)
    content.buffers.append(buffer)
