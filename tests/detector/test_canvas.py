"""Images on the detector's input, as the OD API itself puts them there."""

import numpy as np
import pytest
import tensorflow as tf
from object_detection.core.preprocessor import resize_to_range

from tasks.detector.canvas import boxes_on_canvas, on_canvas
from tasks.model.resizer import Resizer

KEPT = Resizer(min_side=64, max_side=64)
WIDER = Resizer(min_side=40, max_side=64)
SIZES = [(64, 64), (100, 50), (33, 128), (480, 640), (7, 300), (301, 299), (20, 30)]


def gradient(height: int, width: int) -> tf.Tensor:
    """An image whose every pixel is bright."""
    rows, columns = np.meshgrid(np.linspace(50, 250, height), np.linspace(50, 250, width), indexing="ij")
    return tf.constant(np.stack([rows, columns, (rows + columns) / 2], axis=2), tf.float32)


@pytest.mark.parametrize("resizer", [KEPT, WIDER], ids=["square", "two limits"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_an_image_has_the_shape_that_the_od_api_gives_it(height: int, width: int, resizer: Resizer) -> None:
    image = gradient(height, width)
    expected = resize_to_range(
        image, min_dimension=resizer.min_side, max_dimension=resizer.max_side, pad_to_max_dimension=True
    )

    canvas, shape = on_canvas(image, resizer)

    np.testing.assert_array_equal(expected[1], shape)
    assert canvas.shape == expected[0].shape == (64, 64, 3)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_beside_the_image_is_black_and_nowhere_else(height: int, width: int) -> None:
    canvas, shape = on_canvas(gradient(height, width), KEPT)

    inside = np.zeros((64, 64), bool)
    inside[: shape[0], : shape[1]] = True
    np.testing.assert_array_equal((canvas.numpy() > 0).all(axis=2), inside)
    np.testing.assert_array_equal((canvas.numpy() > 0).any(axis=2), inside)


def test_of_a_thread_a_pixel_is_left() -> None:
    canvas, shape = on_canvas(gradient(1000, 3), KEPT)

    np.testing.assert_array_equal(shape, [64, 1, 3])
    assert canvas.shape == (64, 64, 3)


def test_a_stretched_image_fills_the_canvas() -> None:
    resizer = Resizer(width=30, height=20)
    canvas, shape = on_canvas(gradient(100, 50), resizer)

    np.testing.assert_array_equal(canvas, tf.image.resize(gradient(100, 50), (20, 30)))
    np.testing.assert_array_equal(shape, [20, 30, 3])
    boxes = tf.constant([[0.1, 0.2, 0.3, 0.4]])
    assert boxes_on_canvas(boxes, shape, resizer) is boxes


def test_a_box_stays_on_its_pixels() -> None:
    image = np.zeros((50, 100, 3), np.float32)
    image[10:40, 20:60] = 255.0
    box = tf.constant([[10 / 50, 20 / 100, 40 / 50, 60 / 100]])

    canvas, shape = on_canvas(tf.constant(image), Resizer(min_side=200, max_side=200))

    rows, columns = np.argwhere(canvas.numpy()[..., 0] > 127).T
    (placed,) = boxes_on_canvas(box, shape, Resizer(min_side=200, max_side=200)).numpy() * 200
    np.testing.assert_allclose(placed, [20, 40, 80, 120])
    assert (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1) == tuple(placed.round(3))


def test_a_batch_is_put_there_as_its_images_are() -> None:
    images = tf.stack([gradient(30, 60), 255.0 - gradient(30, 60)])

    together, shape = on_canvas(images, KEPT)

    for image, canvas in zip(images, together, strict=True):
        alone, own_shape = on_canvas(image, KEPT)
        np.testing.assert_array_equal(canvas, alone)
        np.testing.assert_array_equal(shape, own_shape)
