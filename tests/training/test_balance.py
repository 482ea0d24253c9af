import numpy as np
import pytest
import tensorflow as tf

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.training.balance import shares, times_shown


def image(*classes: str) -> AnnotatedImage:
    n = len(classes)
    boxes = as_boxes([[0, 0, 5, 5]] * n) if n else as_boxes([])
    return AnnotatedImage(
        file_name="a.jpg", width=10, height=10, boxes=boxes, classes=classes, difficult=flags(n), iscrowd=flags(n)
    )


# "cat" is on four of the images, "owl" on one, and one shows nothing.
IMAGES = [image("cat"), image("cat", "cat"), image("cat"), image("cat", "owl"), image()]


@pytest.mark.parametrize(
    ("power", "expected"),
    [(0.0, [1, 1, 1, 1, 1]), (1.0, [0.625, 0.625, 0.625, 2.5, 0.625]), (0.5, [5 / 6, 5 / 6, 5 / 6, 10 / 6, 5 / 6])],
)
def test_an_image_counts_by_its_rarest_class(power: float, expected: list[float]) -> None:
    np.testing.assert_allclose(shares(IMAGES, power), expected)


def test_an_epoch_keeps_its_length_and_comes_close_to_the_shares() -> None:
    wanted = shares(IMAGES, 1.0)
    epochs = np.array([times_shown(wanted, 7, tf.constant(epoch, tf.int64)).numpy() for epoch in range(400)])
    assert (epochs.sum(axis=1) == len(IMAGES)).all()
    assert ((epochs == np.floor(wanted)) | (epochs == np.ceil(wanted))).all()
    np.testing.assert_allclose(epochs.mean(axis=0), wanted, atol=0.1)
    again = times_shown(wanted, 7, tf.constant(3, tf.int64))
    np.testing.assert_array_equal(again, epochs[3])
