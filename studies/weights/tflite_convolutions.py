"""The convolutions of a TFLite file by the names that their layers had in TensorFlow 1: kernels and biases.

A converter folds each BatchNorm into its convolution, and may keep constants in float16 with an operation before each
that widens them. A tensor's name may join several with `;`: the first is that of the layer.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema

from tasks.errors import CheckpointError
from tasks.evaluation.tflite_options import DAMAGED

_VERSION = 3
# More than ten times what the largest detector here has: lengths in the file are followed no further.
_MAX_TABLES = 10_000
_MAX_DIMENSIONS = 4
_DTYPES: dict[int, Any] = {schema.TensorType.FLOAT16: "<f2", schema.TensorType.FLOAT32: "<f4"}
_KINDS = {schema.BuiltinOperator.CONV_2D: False, schema.BuiltinOperator.DEPTHWISE_CONV_2D: True}
_LAYER = re.compile(r"(.+)/(?:BatchNorm/FusedBatchNormV3|BiasAdd)")


@dataclass(frozen=True)
class Convolution:
    """A convolution with its bias.

    Attributes:
        kernel: float32 `(h, w, in, out)`, or `(h, w, channels, 1)` where `depthwise`.
        bias: float32 `(out,)`.
        depthwise: whether each channel is convolved on its own.
    """

    kernel: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    depthwise: bool


def read_convolutions(content: bytes) -> dict[str, Convolution]:
    """The convolutions of a TFLite file's one graph by the layer's name, such as `BoxPredictor_2/ClassPredictor`.

    Raises:
        CheckpointError: it is no TFLite file, or a damaged one, or two of its layers have one name.
    """
    try:
        if not schema.Model.ModelBufferHasIdentifier(content, 0):
            raise ValueError("it does not begin as one")
        return _by_name(schema.Model.GetRootAs(content, 0))
    except DAMAGED as error:
        raise CheckpointError(f"not a TFLite model with float convolutions, or a damaged one ({error})") from error


def _by_name(model: schema.Model) -> dict[str, Convolution]:
    graph = model.Subgraphs(0) if model.SubgraphsLength() == 1 else None
    if graph is None or model.Version() != _VERSION:
        raise ValueError(f"version {model.Version()}, {model.SubgraphsLength()} graphs")
    lengths = (model.BuffersLength(), model.OperatorCodesLength(), graph.TensorsLength(), graph.OperatorsLength())
    if max(lengths) > _MAX_TABLES:
        raise ValueError(f"{max(lengths)} entries in one of its lists")
    kinds = [_kind(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
    widened = {
        int(operator.Outputs(0)): int(operator.Inputs(0))
        for operator in operators
        if kinds[operator.OpcodeIndex()] == schema.BuiltinOperator.DEQUANTIZE
    }
    found: dict[str, Convolution] = {}
    for operator in operators:
        kind = kinds[operator.OpcodeIndex()]
        if kind in _KINDS:
            kernel, bias = (widened.get(i, i) for i in _constants(operator))
            name = _layer_name(_tensor(graph, bias))
            if name in found:
                raise ValueError(f"two layers are named {name:.80}")
            values = _values(model, graph, kernel), _values(model, graph, bias)
            found[name] = _convolution(*values, depthwise=_KINDS[kind])
    return found


def _kind(code: schema.OperatorCode) -> int:
    # Files from before 2020 have the first of these only.
    return max(int(code.DeprecatedBuiltinCode()), int(code.BuiltinCode()))


def _constants(operator: schema.Operator) -> Iterator[int]:
    """The tensors of a convolution's kernel and bias."""
    if operator.InputsLength() != 3:
        raise ValueError("a convolution without kernel and bias")
    return (int(operator.Inputs(i)) for i in (1, 2))


def _tensor(graph: schema.SubGraph, number: int) -> schema.Tensor:
    if not 0 <= number < graph.TensorsLength():
        raise ValueError(f"there is no tensor {number}")
    return graph.Tensors(number)


def _layer_name(bias: schema.Tensor) -> str:
    name = (bias.Name() or b"").decode("utf-8").partition(";")[0]
    match = _LAYER.fullmatch(name)
    if match is None:
        raise ValueError(f"a bias is named {name:.80}")
    return match[1]


def _values(model: schema.Model, graph: schema.SubGraph, number: int) -> npt.NDArray[np.float32]:
    tensor = _tensor(graph, number)
    if tensor.Type() not in _DTYPES or not 1 <= tensor.ShapeLength() <= _MAX_DIMENSIONS:
        raise ValueError(f"tensor {number} has the type {tensor.Type()} and {tensor.ShapeLength()} dimensions")
    shape = [int(tensor.Shape(i)) for i in range(tensor.ShapeLength())]
    if not 0 <= tensor.Buffer() < model.BuffersLength() or min(shape) < 1:
        raise ValueError(f"tensor {number} has the shape {shape} in buffer {tensor.Buffer()}")
    dtype, buffer = np.dtype(_DTYPES[tensor.Type()]), model.Buffers(tensor.Buffer())
    if buffer.DataLength() != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"tensor {number} of shape {shape} has {buffer.DataLength()} bytes")
    values: npt.NDArray[np.float32] = buffer.DataAsNumpy().view(dtype).reshape(shape).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"tensor {number} has a number that is not finite")
    return values


def _convolution(kernel: npt.NDArray[np.float32], bias: npt.NDArray[np.float32], *, depthwise: bool) -> Convolution:
    """`(out, h, w, in)` -> `(h, w, in, out)`; a depthwise `(1, h, w, c)` -> `(h, w, c, 1)`."""
    if kernel.ndim != 4 or bias.shape != (kernel.shape[3:] if depthwise else kernel.shape[:1]):
        raise ValueError(f"a kernel of shape {kernel.shape} with a bias of shape {bias.shape}")
    return Convolution(np.ascontiguousarray(kernel.transpose(1, 2, 3, 0)), bias, depthwise)
