"""Biases of an int8 file that take back what rounded weights change on average."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.optimize.calibrator import Calibrator

from tasks.exporting.bias_correction import correct_biases
from tasks.exporting.equalise import equalise
from tasks.exporting.interpreter import every_tensor, operation_names
from tasks.exporting.tflite_layers import convolutions
from tasks.exporting.tflite_tensors import constant, put_constant, read_content

CHANNELS = 32


def weights(*shape: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """One weight of 1 for each output; all others are less than half a step of its int8 scale, and are rounded to 0."""
    small = np.full(shape, 0.0035, np.float32)
    small[1, 1, 0] = 1.0
    if shape[3] == 1:
        small[1, 1] = 1.0
    return small


@pytest.fixture(scope="module")
def model() -> bytes:
    """A convolution of both kinds and a third, each without a bias of its own."""
    first, depthwise, last = weights(3, 3, 3, CHANNELS), weights(3, 3, CHANNELS, 1), weights(3, 3, CHANNELS, CHANNELS)

    @tf.function(input_signature=[tf.TensorSpec([1, 16, 16, 3], tf.float32)])
    def run(image):
        one = tf.nn.relu6(tf.nn.conv2d(image, first, 1, "SAME"))
        other = tf.nn.relu6(tf.nn.depthwise_conv2d(one, depthwise, [1, 1, 1, 1], "SAME"))
        return tf.nn.conv2d(other, last, 1, "SAME")

    content: bytes = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()]).convert()
    return content


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(3)
    return [rng.uniform(0, 1, (1, 16, 16, 3)).astype(np.float32) for _ in range(8)]


def quantised(model, images, left=None) -> bytes:
    measured = Calibrator(model).calibrate(lambda: ([image] for image in images))
    content: bytes = mlir_quantize(
        measured, input_data_type=tf.float32, output_data_type=tf.float32, denylisted_nodes=left
    )
    return content


def mean_output(model, images):
    output = read_content(model).subgraphs[0].outputs[0]
    return np.mean([values[output] for values in every_tensor(model, [output], images)], axis=(0, 1, 2, 3))


def test_the_mean_that_rounding_takes_away_is_given_back(model, images):
    rounded = quantised(model, images)
    wanted = mean_output(model, images)
    lost = np.abs(mean_output(rounded, images) - wanted)
    left = np.abs(mean_output(correct_biases(rounded, model, images), images) - wanted)
    assert lost.min() > 0.3
    # The input beyond the edges, zeros, is not in the means.
    assert left.max() < 0.2 * lost.min()


def test_biases_that_lie_in_the_file_once_get_values_of_their_own(model, images):
    rounded = quantised(model, images)
    content = read_content(rounded)
    of_bias = Counter(content.subgraphs[0].tensors[each.inputs[2]].buffer for each in convolutions(content))
    assert max(of_bias.values()) > 1, "the case is not there"
    corrected = read_content(correct_biases(rounded, model, images))
    values = [constant(corrected, each.inputs[2]) for each in convolutions(corrected)]
    assert all(value.any() for value in values)
    assert len({value.tobytes() for value in values}) == len(values)


def test_a_layer_left_in_float32_stays_as_it_is(model, images):
    last = operation_names(model)[-1]
    mixed = quantised(model, images, left={last})
    corrected = read_content(correct_biases(mixed, model, images))
    *_, end = convolutions(corrected)
    before = read_content(mixed)
    np.testing.assert_array_equal(
        constant(corrected, end.inputs[2]), constant(before, convolutions(before)[-1].inputs[2])
    )
    assert constant(corrected, end.inputs[1]).dtype == np.float32
    assert constant(corrected, convolutions(corrected)[0].inputs[2]).any()


def test_a_convolution_in_groups_stays_as_it_is(images):
    kernel = np.random.default_rng(1).normal(0, 1, (3, 3, 1, 6)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec([1, 16, 16, 3], tf.float32)])
    def run(image):
        return tf.nn.relu6(tf.nn.conv2d(image, kernel, 1, "SAME"))

    grouped = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()]).convert()
    rounded = quantised(grouped, images)
    assert correct_biases(rounded, grouped, images) == correct_biases(rounded, grouped, images[:1])
    assert equalise(grouped, images)


def test_a_constant_alone_in_its_buffer_is_replaced_there(model):
    content = read_content(model)
    tensor = convolutions(content)[0].inputs[1]
    buffers = len(content.buffers)
    put_constant(content, tensor, constant(content, tensor) * 2)
    assert len(content.buffers) == buffers
    assert constant(content, tensor).max() == 2.0
