"""Scoring and measuring the speed keep to their limits of images and pixels at once."""

import numpy as np
import pytest
from PIL import Image

from tasks.artifacts.speed import ModelSpeed
from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import MOST_PIXELS, Detections, batches
from tasks.evaluation.measure_speed import measure_speed, timed_images
from tasks.evaluation.scoring import detect_all


class Counting:
    """Finds one box as wide as the image, and records how many images each call has."""

    classes = ("cat",)

    def __init__(self):
        self.calls = []

    def detect(self, images):
        self.calls.append(len(images))
        return [Detections(as_boxes([[0, 0, image.shape[1], 1]]), ("cat",), np.array([0.9])) for image in images]


def dataset(folder, megapixels):
    """Small images, each wider than the last by a pixel, whose records say how many megapixels they have."""
    images = []
    for i, size in enumerate(megapixels):
        Image.new("L", (i + 1, 1)).save(folder / f"{i}.png")
        images.append(AnnotatedImage(f"{i}.png", size * 1000, 1000, as_boxes([]), (), flags(0), flags(0)))
    return Dataset(folder, ("cat",), tuple(images))


def test_large_images_make_a_batch_smaller_and_keep_their_order(tmp_path):
    detector = Counting()
    found = detect_all(detector, dataset(tmp_path, [20, 20, 20, 60, 1, 1, 1, 1, 1]), 4, "it")
    assert detector.calls == [2, 1, 1, 4, 1]
    assert [detections.boxes[0, 2] for detections in found] == list(range(1, 10))


@pytest.mark.parametrize(
    ("megapixels", "timed"),
    [([1] * 30, 24), ([40] * 30, 2), ([200, 1], 1), ([60, 60], 1)],
    ids=["by count", "by pixels", "one is too large already", "the second does not fit"],
)
def test_speed_is_measured_on_as_many_images_as_fit_the_memory(tmp_path, megapixels, timed):
    detector = Counting()
    speed = measure_speed(detector, timed_images(dataset(tmp_path, megapixels)), 8)
    warm_up = min(3, timed)
    assert detector.calls[: warm_up + timed] == [1] * (warm_up + timed)
    # Batches: the first one once more than counts.
    assert sum(detector.calls[warm_up + timed :]) == timed + min(8, timed)
    assert (speed.images_per_s or 0) > 0
    assert (speed.latency_ms or 0) > 0


def test_where_a_batch_is_one_image_each_is_timed_once(tmp_path):
    detector = Counting()
    speed = measure_speed(detector, timed_images(dataset(tmp_path, [1] * 5)), 1)
    assert detector.calls == [1] * (3 + 5)
    assert (speed.images_per_s or 0) > 0


def test_no_images_have_no_speed(tmp_path):
    assert measure_speed(Counting(), timed_images(dataset(tmp_path, [])), 8, 1.5) == ModelSpeed(size_mb=1.5)


def test_batches_are_bounded_by_count_and_pixels_and_a_large_image_comes_alone():
    sizes = [1, 1, 1, MOST_PIXELS, MOST_PIXELS + 1, MOST_PIXELS - 1, 1, 1]
    whole = [[1, 1], [1], [MOST_PIXELS], [MOST_PIXELS + 1], [MOST_PIXELS - 1, 1], [1]]
    assert list(batches(sizes, 2, lambda size: size)) == whole
    assert list(batches([], 2, lambda size: size)) == []


def test_changing_a_batch_does_not_change_the_next():
    given = batches([1, 2, 3], 2, lambda size: size)
    first = next(given)
    first.clear()
    assert list(given) == [[3]]
