"""Planted mistakes are mistakes: boxes are off, classes are others, and boxes on nothing touch no label."""

import numpy as np

from tasks.dataset.boxes import area, iou
from tasks.review.planting import boxes_on_nothing, other_classes, relative_sides, shifted_boxes
from tests.metrics.cases import annotated

IMAGE = annotated(((40, 40, 100, 120), "cat"), ((120, 60, 160, 100), "dog"))


def test_a_shifted_box_keeps_a_part_of_its_place() -> None:
    shifted = shifted_boxes(IMAGE, np.random.default_rng(0))
    overlap = np.diag(iou(shifted, IMAGE.boxes))
    assert ((overlap > 0.1) & (overlap < 0.5)).all()
    assert shifted_boxes(annotated(), np.random.default_rng(0)).shape == (0, 4)


def test_another_class_is_never_the_same() -> None:
    own = np.array(["a", "b", "c"] * 20)
    assert (other_classes(own, ["a", "b", "c"], np.random.default_rng(0)) != own).all()


def test_boxes_on_nothing_lie_in_the_image_and_beside_labels() -> None:
    shapes = relative_sides([IMAGE])
    np.testing.assert_allclose(shapes, [[0.3, 0.4], [0.2, 0.2]])
    boxes = boxes_on_nothing(IMAGE, shapes, 50, np.random.default_rng(0))
    assert 0 < len(boxes) < 50
    assert (area(boxes) > 0).all()
    assert (boxes >= 0).all()
    assert (boxes <= 200).all()
    assert iou(boxes, IMAGE.boxes).max() < 0.1


def test_images_without_labels_give_no_shapes() -> None:
    assert relative_sides([annotated()]).shape == (0, 2)
