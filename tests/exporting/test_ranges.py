"""Ranges of tensors, from which int8's scales are made."""

import numpy as np
import tensorflow as tf

from tasks.exporting.ranges import with_ranges
from tasks.exporting.tflite_tensors import read_content


def converted(function, *shape):
    """A TFLite file of a function of one tensor."""
    module = tf.Module()
    module.function = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)], autograph=False)
    return tf.lite.TFLiteConverter.from_concrete_functions([module.function.get_concrete_function()], module).convert()


def ranges_in(model):
    """The ranges in a file, in the order of its tensors."""
    (graph,) = read_content(model).subgraphs
    with_range = [tensor.quantization for tensor in graph.tensors if tensor.quantization is not None]
    return [(each.min.item(), each.max.item()) for each in with_range if each.min is not None]


def test_each_tensor_has_its_own_range_and_not_that_of_the_next_one():
    """TFLite writes the product where the sum was, and the difference where the product was."""
    model = converted(lambda x: (x + 1.0) * 127.5 - 100.0, 1, 2, 2, 3)
    image = np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(1, 2, 2, 3)
    assert ranges_in(with_ranges(model, [image])) == [(-1.0, 1.0), (0.0, 2.0), (0.0, 255.0), (-100.0, 155.0)]


def test_ranges_are_those_of_all_images_and_constants_have_none():
    model = converted(lambda x: x * 2.0, 1, 2, 2, 3)
    images = [np.full((1, 2, 2, 3), value, np.float32) for value in (0.5, -3.0, 1.0)]
    assert ranges_in(with_ranges(model, images)) == [(-3.0, 1.0), (-6.0, 2.0)]
