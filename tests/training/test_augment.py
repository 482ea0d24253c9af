import numpy as np
import pytest
import tensorflow as tf

from tasks.model.resizer import Resizer
from tasks.training.augment import random_colour, random_crop, random_flip, random_zoom_out

# A picture whose pixels show where they were: red grows to the right, green downwards.
HEIGHT, WIDTH = 40, 60
IMAGE = np.stack(
    [
        np.tile(np.linspace(0, 255, WIDTH), (HEIGHT, 1)),
        np.tile(np.linspace(0, 255, HEIGHT)[:, None], (1, WIDTH)),
        np.zeros((HEIGHT, WIDTH)),
    ],
    axis=-1,
).astype(np.float32)
WHOLE = Resizer(height=HEIGHT, width=WIDTH)
BOXES = np.array([[0.1, 0.2, 0.5, 0.6], [0.6, 0.7, 0.9, 0.95]], dtype=np.float32)
MIN_AREA = 0.4
SEEDS = [tf.constant([3, number], tf.int64) for number in range(40)]


def test_a_flip_mirrors_pixels_and_boxes() -> None:
    image, boxes = random_flip(tf.constant(IMAGE), tf.constant(BOXES), SEEDS[0], 1.0)
    np.testing.assert_array_equal(image, IMAGE[:, ::-1])
    np.testing.assert_allclose(boxes[0], [0.1, 0.4, 0.5, 0.8], atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS[:5], ids=range(5))
def test_with_probability_0_nothing_changes(seed: tf.Tensor) -> None:
    image, boxes, keep = random_crop(tf.constant(IMAGE), tf.constant(BOXES), seed, 0.0, MIN_AREA)
    image, boxes = random_flip(random_colour(image, seed, 0.0), boxes, seed, 0.0)
    np.testing.assert_array_equal(image, IMAGE)
    np.testing.assert_array_equal(boxes, BOXES)
    assert keep.numpy().all()


def test_a_crop_keeps_boxes_on_their_pixels() -> None:
    for seed in SEEDS:
        image, boxes, keep = (
            t.numpy() for t in random_crop(tf.constant(IMAGE), tf.constant(BOXES), seed, 1.0, MIN_AREA)
        )
        height, width = image.shape[:2]
        for before, after in zip(BOXES[keep], boxes[keep], strict=True):
            centre_y, centre_x = (after[0] + after[2]) / 2 * height, (after[1] + after[3]) / 2 * width
            red = image[min(int(centre_y), height - 1), min(int(centre_x), width - 1), 0]
            inside = before[1] * 255 - 12 <= red <= before[3] * 255 + 12
            assert inside, f"{seed}: the centre of the box shows red {red}, from outside {before}"


def test_a_crop_never_loses_every_object() -> None:
    kept = [random_crop(tf.constant(IMAGE), tf.constant(BOXES), seed, 1.0, MIN_AREA)[2].numpy() for seed in SEEDS]
    assert all(keep.any() for keep in kept)
    assert any(not keep.all() for keep in kept), "no crop ever cut an object: the test sees nothing"


def test_an_image_without_objects_can_be_cropped() -> None:
    image, boxes, keep = random_crop(tf.constant(IMAGE), tf.zeros([0, 4]), SEEDS[1], 1.0, MIN_AREA)
    assert image.shape[0] * image.shape[1] < HEIGHT * WIDTH
    assert boxes.shape == (0, 4)
    assert keep.shape == (0,)


def test_colours_stay_in_range_and_differ_by_seed() -> None:
    first, second = (random_colour(tf.constant(IMAGE), seed, 1.0).numpy() for seed in SEEDS[:2])
    assert first.min() >= 0
    assert first.max() <= 255
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, random_colour(tf.constant(IMAGE), SEEDS[0], 1.0).numpy())


def test_zooming_out_keeps_boxes_on_their_pixels_and_fills_the_rest_with_grey() -> None:
    sizes = set()
    for seed in SEEDS:
        image, boxes, shape = random_zoom_out(tf.constant(IMAGE), tf.constant(BOXES), seed, 1.0, 0.5, WHOLE)
        np.testing.assert_array_equal(shape, [HEIGHT, WIDTH, 3])
        assert image.shape == (HEIGHT, WIDTH, 3)
        shown = np.argwhere((np.abs(image.numpy() - 127.5) > 1e-3).any(axis=2))
        (top, left), (bottom, right) = shown.min(axis=0), shown.max(axis=0) + 1
        sizes.add((bottom - top, right - left))
        frame = np.array([top / HEIGHT, left / WIDTH, bottom / HEIGHT, right / WIDTH])
        expected = np.tile(frame[:2], 2) + BOXES * np.tile(frame[2:] - frame[:2], 2)
        np.testing.assert_allclose(boxes, expected, atol=1e-6)
        np.testing.assert_allclose(image[top:bottom, left:right, 2], 0.0, atol=1e-4)
    assert len(sizes) > 20
    assert min(height for height, _ in sizes) >= HEIGHT / 2


def test_an_image_that_is_not_zoomed_is_resized() -> None:
    resizer = Resizer(height=20, width=30)
    image, boxes, shape = random_zoom_out(tf.constant(IMAGE), tf.constant(BOXES), SEEDS[0], 0.0, 0.5, resizer)
    np.testing.assert_array_equal(image, tf.image.resize(IMAGE, (20, 30)))
    np.testing.assert_array_equal(boxes, BOXES)
    np.testing.assert_array_equal(shape, [20, 30, 3])


@pytest.mark.parametrize("min_area", [0.1, 0.8, 1.0])
def test_a_crop_leaves_as_much_of_the_area_as_it_is_told(min_area: float) -> None:
    areas = []
    for seed in SEEDS:
        image = random_crop(tf.constant(IMAGE), tf.zeros([0, 4]), seed, 1.0, min_area)[0]
        areas.append(image.shape[0] * image.shape[1] / (HEIGHT * WIDTH))
    # A side that would be longer than the image is cut, so a window can be a little smaller.
    assert min_area * 0.8 <= min(areas) <= min_area + 0.15


@pytest.mark.parametrize("min_zoom", [0.2, 0.9, 1.0])
def test_zooming_out_leaves_as_much_of_the_sides_as_it_is_told(min_zoom: float) -> None:
    box = tf.constant([[0.0, 0.0, 1.0, 1.0]])
    zoomed = [random_zoom_out(tf.constant(IMAGE), box, s, 1.0, min_zoom, WHOLE)[1].numpy()[0] for s in SEEDS]
    sides = [bottom - top for top, _, bottom, _ in zoomed]
    assert min_zoom - 0.02 <= min(sides) <= min_zoom + 0.1
