"""Ranges of tensors, from which int8's scales are made."""

import numpy as np
import pytest
import tensorflow as tf

from tasks.exporting.interpreter import at_once, every_tensor, float_tensors
from tasks.exporting.ranges import best_range, with_ranges
from tasks.exporting.tflite_tensors import read_content
from tests.exporting.listed import Listed


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
    assert ranges_in(with_ranges(model, Listed([image]))) == [(-1.0, 1.0), (0.0, 2.0), (0.0, 255.0), (-100.0, 155.0)]


def test_what_is_measured_on_images_comes_in_their_order():
    model = converted(lambda x: x * 2.0, 1, 2, 2, 3)
    images = [np.full((1, 2, 2, 3), value, np.float32) for value in range(20)]
    (result,) = set(float_tensors(model)) - {0}
    found = every_tensor(model, [result], images, lambda tensor, value: (tensor, float(value.max())))
    assert [values[result] for values in found] == [(result, 2.0 * value) for value in range(20)]


@pytest.mark.parametrize(
    ("side_px", "cores", "count"), [(320, 1, 1), (320, 2, 2), (320, 64, 4), (640, 64, 4), (1024, 64, 2), (2000, 64, 1)]
)
def test_interpreters_of_large_inputs_do_not_take_up_the_memory(side_px: int, cores: int, count: int):
    assert at_once(side_px, side_px, cores) == count


def test_an_image_that_cannot_be_read_ends_the_measuring():
    def images():
        yield np.zeros((1, 2, 2, 3), np.float32)
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        list(every_tensor(converted(lambda x: x * 2.0, 1, 2, 2, 3), [0], images()))


def test_ranges_are_those_of_all_images_and_constants_have_none():
    model = converted(lambda x: x * 2.0, 1, 2, 2, 3)
    images = Listed(np.full((1, 2, 2, 3), value, np.float32) for value in (0.5, -3.0, 1.0))
    assert ranges_in(with_ranges(model, images)) == [(-3.0, 1.0), (-6.0, 2.0)]


def histogram(values, ends):
    return np.histogram(values, 2048, ends)[0]


def rounding_error(values, ends):
    """The mean squared error of values in 256 steps."""
    step = (ends[1] - ends[0]) / 255
    return np.mean((np.clip(np.round(values / step) * step, *ends) - values) ** 2)


def test_few_values_far_out_are_cut_and_the_rest_has_finer_steps():
    values = np.append(np.random.default_rng(1).normal(0, 1, 200_000), [10.0, -8.0])
    whole = values.min(), values.max()
    low, high = best_range(histogram(values, whole), whole)
    assert whole[0] < low < -3
    assert 3 < high < whole[1]
    assert rounding_error(values, (low, high)) < 0.7 * rounding_error(values, whole)


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (0.0, 6.0), (-3.0, 0.0)])
def test_values_that_lie_everywhere_keep_their_whole_range(ends):
    values = np.linspace(ends[0], ends[1], 10_000)
    assert best_range(histogram(values, ends), ends) == ends


def test_values_far_out_that_are_not_few_are_not_cut():
    """The scores of objects are few among those of the background, and far from them."""
    background = np.random.default_rng(2).normal(-6, 1, 100_000)
    values = np.concatenate([background, np.full(200, 3.0)])
    ends = float(values.min()), 3.0
    assert best_range(histogram(values, ends), ends)[1] == 3.0


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [((2.0, 5.0), (0.0, 5.0)), ((-5.0, -2.0), (-5.0, 0.0)), ((0.0, 0.0), (0.0, 1.0)), ((3e-9, 4e-9), (0.0, 1.0))],
)
def test_zero_lies_in_every_range_and_none_is_next_to_nothing(ends, wanted):
    assert best_range(histogram(np.linspace(ends[0], ends[1], 1000), ends), ends) == wanted


def test_the_pixels_range_is_never_cut():
    model = converted(lambda x: x * 2.0, 1, 64, 64, 3)
    image = np.zeros((1, 64, 64, 3), np.float32)
    image[0, 0, 0, 0], image[0, 0, 1, 0] = -1.0, 1.0
    image[0, 5:] = np.random.default_rng(3).normal(0, 0.01, (59, 64, 3))
    pixels, product = ranges_in(with_ranges(model, Listed([image])))
    assert pixels == (-1.0, 1.0)
    assert product[1] < 2.0


def test_a_photo_that_changes_between_two_readings_ends_nothing():
    class Changing(Listed):
        def first(self, count):
            return Listed(10.0 * image for image in self[:count])

    model = converted(lambda x: x * 2.0, 1, 2, 2, 3)
    image = np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(1, 2, 2, 3)
    assert ranges_in(with_ranges(model, Changing([image]))) == [(-1.0, 1.0), (-2.0, 2.0)]
