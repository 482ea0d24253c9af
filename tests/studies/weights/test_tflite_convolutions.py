"""Convolutions read from TFLite files: their names, axes and numbers; a damaged file is an error, never a crash."""

from typing import Any

import flatbuffers
import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from studies.weights.tflite_convolutions import read_convolutions
from tasks.errors import CheckpointError

CONV, DEPTHWISE, WIDEN = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.DEQUANTIZE,
)
KERNEL = np.arange(2 * 1 * 1 * 3, dtype=np.float16).reshape(2, 1, 1, 3)
DEPTHWISE_KERNEL = np.arange(3 * 3 * 2, dtype=np.float32).reshape(1, 3, 3, 2)


def operator(code: int, inputs: list[int], output: int) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, inputs, [output]
    return made


def tensor(name: str, values: np.ndarray, buffer: int) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.buffer = name, list(values.shape), buffer
    made.type = schema.TensorType.FLOAT16 if values.dtype == np.float16 else schema.TensorType.FLOAT32
    return made


def tflite(constants: dict[str, np.ndarray], operators: list[Any], *, version: int = 3) -> bytes:
    """A file whose first tensors are `constants`; tensors after them have no content."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.operatorCodes = version, [schema.BufferT()], []
    for code in (CONV, DEPTHWISE, WIDEN):
        made = schema.OperatorCodeT()
        made.builtinCode = made.deprecatedBuiltinCode = code
        model.operatorCodes.append(made)
    graph.tensors, graph.operators = [], operators
    for number, (name, values) in enumerate(constants.items(), start=1):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        model.buffers.append(buffer)
        graph.tensors.append(tensor(name, values, number))
    graph.tensors += [tensor(f"t{i}", np.zeros((2, 1, 1, 3), np.float32), 0) for i in range(3)]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def constants(**changes: np.ndarray) -> dict[str, np.ndarray]:
    names = {
        "kernel": "net/a/Conv2D",
        "bias": "net/a/BatchNorm/FusedBatchNormV3;net/other/Conv2D;net/a/Conv2D",
        "depthwise": "net/b/BatchNorm/FusedBatchNormV3;net/b/depthwise",
        "offset": "net/b/BatchNorm/FusedBatchNormV3",
    }
    values: dict[str, np.ndarray] = {
        "kernel": KERNEL,
        "bias": np.array([5, 6], np.float32),
        "depthwise": DEPTHWISE_KERNEL,
        "offset": np.array([7, 8], np.float32),
    }
    return {names[key]: value for key, value in (values | changes).items()}


def two_layers(**changes: np.ndarray) -> bytes:
    return tflite(constants(**changes), [operator(2, [0], 4), operator(0, [5, 4, 1], 6), operator(1, [5, 2, 3], 6)])


def test_kernels_have_the_axes_of_tensorflow_and_the_first_name_counts() -> None:
    layers = read_convolutions(two_layers())

    assert list(layers) == ["net/a", "net/b"]
    assert layers["net/a"].kernel.shape == (1, 1, 3, 2)
    np.testing.assert_array_equal(layers["net/a"].kernel[0, 0].T, KERNEL[:, 0, 0])
    assert layers["net/a"].bias.tolist() == [5, 6]
    assert not layers["net/a"].depthwise
    assert layers["net/b"].depthwise
    np.testing.assert_array_equal(layers["net/b"].kernel[..., 0], DEPTHWISE_KERNEL[0])
    assert {layer.kernel.dtype for layer in layers.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bias": np.zeros(3, np.float32)}, "with a bias of shape"),
        ({"depthwise": DEPTHWISE_KERNEL[0]}, "with a bias of shape"),
        ({"bias": np.array([1, np.inf], np.float32)}, "not finite"),
    ],
    ids=["another length", "another kernel", "infinite"],
)
def test_what_is_no_convolution_is_an_error(changes: dict[str, np.ndarray], why: str) -> None:
    with pytest.raises(CheckpointError, match=why):
        read_convolutions(two_layers(**changes))


@pytest.mark.parametrize(
    ("operators", "why"),
    [
        ([operator(0, [5, 0, 99], 6)], "no tensor 99"),
        ([operator(0, [5, 0, -1], 6)], "no tensor -1"),
        ([operator(0, [5, 0], 6)], "without kernel and bias"),
        ([operator(0, [5, 0, 4], 6)], "a bias is named t0"),
        ([operator(1, [5, 2, 3], 6), operator(1, [5, 2, 3], 6)], "two layers are named net/b"),
    ],
)
def test_operations_that_lead_nowhere_are_errors(operators: list[Any], why: str) -> None:
    with pytest.raises(CheckpointError, match=why):
        read_convolutions(tflite(constants(), operators))


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x1c\x00\x00\x00TFL3", b"no model" * 9])
def test_what_is_no_tflite_file_is_an_error(content: bytes) -> None:
    with pytest.raises(CheckpointError, match="not a TFLite model"):
        read_convolutions(content)


def test_another_version_is_an_error() -> None:
    with pytest.raises(CheckpointError, match="version 4"):
        read_convolutions(tflite({}, [], version=4))


def test_a_file_with_any_byte_turned_or_cut_anywhere_is_read_or_refused() -> None:
    whole = two_layers()
    broken = [whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1 :] for i in range(len(whole))]
    refused = 0
    for content in [*broken, *(whole[:i] for i in range(0, len(whole), 7))]:
        try:
            read_convolutions(content)
        except CheckpointError:
            refused += 1
    assert refused > len(whole) // 4
