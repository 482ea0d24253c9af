"""The range of every tensor of a float TFLite file on images, from which the converter makes int8's scales.

TensorFlow's own `Calibrator` reads what goes into an operation after the operation has run. TFLite lets an addition or
a multiplication write its result where its input was, so that the input's range becomes that of the result, too: in
`(image + 1) * 127.5`, the sum of 0 to 2 gets a step of 1. Here every tensor keeps a place of its own.
"""

from collections.abc import Iterable

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from tasks.exporting.interpreter import Floats, tensor_ranges
from tasks.exporting.tflite_tensors import file_of, read_content


def with_ranges(model: bytes, images: Iterable[Floats]) -> bytes:
    """The float TFLite file `model` with the least and the greatest value of each tensor over all `images`.

    `images` are inputs, float32 `(1, height, width, 3)`, at least one; of training images only.
    """
    content = read_content(model)
    (graph,) = content.subgraphs
    for tensor, (least, greatest) in tensor_ranges(model, images).items():
        quantization = schema.QuantizationParametersT()
        quantization.min, quantization.max = np.array([least], np.float32), np.array([greatest], np.float32)
        graph.tensors[tensor].quantization = quantization
    return file_of(content)
