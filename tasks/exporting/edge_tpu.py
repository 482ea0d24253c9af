"""Which operations of an int8 file an Edge TPU would leave to the CPU.

The compiler (`edgetpu_compiler model_int8.tflite`) says so for good; it is made for Debian on x86-64 and is no Python
package. It compiles up to the first operation that the chip does not have: that one and all behind it run on the CPU.
"""

from collections import Counter

from tensorflow.lite.python import schema_py_generated as schema

# coral.ai, "TensorFlow models on the Edge TPU", supported operations, as of compiler version 16.
_SUPPORTED = frozenset({
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS",
    "FULLY_CONNECTED", "L2_NORMALIZATION", "LOGISTIC", "LSTM", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM",
    "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RELU_N1_TO_1",
    "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX", "SPACE_TO_DEPTH",
    "SPLIT", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "SQUARED_DIFFERENCE", "TANH", "TRANSPOSE",
    "TRANSPOSE_CONV",
})  # fmt: skip
_INTEGERS = (schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT32)
_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


def edge_tpu_fallbacks(model: bytes) -> dict[str, int]:
    """The operations that run on the CPU, each with how often it occurs: unknown ones, and those that have floats.

    TFLite's detection operation is always among them; it is made for the CPU.
    """
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    counts: Counter[str] = Counter()
    for graph in content.subgraphs:
        for operator in graph.operators:
            code = content.operatorCodes[operator.opcodeIndex]
            name = code.customCode.decode() if code.customCode else _NAMES[code.builtinCode]
            tensors = [graph.tensors[i] for i in (*operator.inputs, *operator.outputs) if i >= 0]
            if name not in _SUPPORTED or any(tensor.type not in _INTEGERS for tensor in tensors):
                counts[name] += 1
    return dict(sorted(counts.items()))
