"""Box arithmetic: shapes, conventions, and laws under generated input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.boxes import area, as_boxes, clip, from_tf, from_xywh, iou, to_tf, to_xywh

COORDINATE = st.integers(-4000, 12000).map(lambda quarter_px: quarter_px / 4)
BOXES = st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE), max_size=6).map(as_boxes)
SIDE = st.integers(1, 4000)


def test_no_rows_give_an_array_of_no_boxes():
    assert as_boxes([]).shape == (0, 4)
    assert as_boxes(np.zeros((0, 4))).dtype == np.float64


@pytest.mark.parametrize("rows", [[[1, 2, 3]], [1, 2, 3, 4], np.zeros((2, 5))], ids=["three", "flat", "five"])
def test_rows_without_four_numbers_are_refused(rows):
    with pytest.raises((ValueError, TypeError), match=r"expected boxes of shape \(N, 4\)"):
        as_boxes(rows)


def test_areas_equal_those_computed_by_hand():
    boxes = as_boxes([[0, 0, 4, 5], [2, 2, 2, 9], [9, 9, 1, 1]])
    assert area(boxes).tolist() == [20, 0, 0]


def test_iou_equals_that_computed_by_hand():
    ious = iou(as_boxes([[0, 0, 10, 10]]), as_boxes([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [3, 3, 3, 3]]))
    assert ious[0].tolist() == pytest.approx([1, 50 / 150, 0, 0])


def test_iou_of_two_empty_boxes_is_0_not_nan():
    point = as_boxes([[3, 3, 3, 3]])
    assert iou(point, point).tolist() == [[0.0]]


def test_iou_with_no_boxes_has_a_side_of_length_0():
    assert iou(as_boxes([]), as_boxes([[0, 0, 1, 1]])).shape == (0, 1)
    assert iou(as_boxes([[0, 0, 1, 1]]), as_boxes([])).shape == (1, 0)


def test_to_tf_gives_y_first_in_fractions():
    assert to_tf(as_boxes([[10, 20, 30, 40]]), height=100, width=200).tolist() == [[0.2, 0.05, 0.4, 0.15]]


def test_to_xywh_gives_a_corner_and_sides():
    assert to_xywh(as_boxes([[10, 20, 30, 45]])).tolist() == [[10, 20, 20, 25]]


@given(boxes=BOXES, height=SIDE, width=SIDE)
def test_to_tf_and_back_changes_nothing(boxes, height, width):
    there = to_tf(boxes, height=height, width=width)
    np.testing.assert_allclose(from_tf(there, height=height, width=width), boxes, atol=1e-9)


@given(boxes=BOXES)
def test_to_xywh_and_back_changes_nothing(boxes):
    np.testing.assert_array_equal(from_xywh(to_xywh(boxes)), boxes)


@given(a=BOXES, b=BOXES)
def test_iou_is_symmetric_and_between_0_and_1(a, b):
    ious = iou(a, b)
    np.testing.assert_array_equal(ious, iou(b, a).T)
    assert ((ious >= 0) & (ious <= 1)).all()


@given(boxes=BOXES)
def test_a_box_with_an_area_has_iou_1_with_itself(boxes):
    own = np.diagonal(iou(boxes, boxes))
    np.testing.assert_allclose(own, (area(boxes) > 0).astype(float))


@given(boxes=BOXES, width=SIDE, height=SIDE)
def test_clipping_twice_is_clipping_once_and_never_enlarges(boxes, width, height):
    once = clip(boxes, width=width, height=height)
    np.testing.assert_array_equal(clip(once, width=width, height=height), once)
    assert (area(once) <= area(boxes)).all()
    assert (once >= 0).all()
    assert (once <= [width, height, width, height]).all()
