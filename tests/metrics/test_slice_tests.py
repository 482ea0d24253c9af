"""The tests of slices on numbers that can be checked by hand."""

import numpy as np
import pytest

from tasks.metrics.slice_tests import DRAWS, holm, p_of_boxes, p_of_images

ONES = np.ones((12, 1))


def test_holm_corrects_the_smallest_for_all_and_each_other_for_those_that_are_left() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.4, 0.6]) == pytest.approx([0.8, 0.8])
    assert holm([]) == []


def test_the_worst_of_all_choices_of_images_has_the_share_of_one_choice() -> None:
    influence = np.array([[-3.0]] * 3 + [[1.0]] * 9)
    chosen = np.arange(12) < 3
    (p,) = p_of_images(influence, ONES, [chosen])
    assert p == pytest.approx(1 / 220, abs=4 * (1 / 220 / DRAWS) ** 0.5)


def test_the_better_slice_is_not_worse() -> None:
    influence = np.array([[-3.0]] * 3 + [[1.0]] * 9)
    (p,) = p_of_images(influence, ONES, [np.arange(12) >= 3])
    assert p == 1.0


def test_images_that_do_not_differ_prove_nothing() -> None:
    assert p_of_images(np.zeros((12, 2)), np.ones((12, 2)), [np.arange(12) < 4, np.arange(12) < 6]) == [1.0, 1.0]
    assert p_of_images(np.zeros((0, 2)), np.zeros((0, 2)), []) == []


def test_boxes_that_are_worse_in_each_of_ten_images_have_the_share_of_one_choice_of_signs() -> None:
    inside = np.array([[-1.0]] * 10)
    p = p_of_boxes(np.zeros((10, 1)), np.full((10, 1), 4.0), inside, np.full((10, 1), 2.0))
    assert p == pytest.approx(2**-10, abs=4 * (2**-10 / DRAWS) ** 0.5 + 1 / DRAWS)


def test_many_boxes_of_few_images_prove_nothing() -> None:
    inside = np.array([[-100.0], [-90.0], [0.0], [0.0], [0.0]])
    counts = np.array([[300.0], [300.0], [0.0], [0.0], [0.0]])
    assert p_of_boxes(np.zeros((5, 1)), np.full((5, 1), 600.0), inside, counts) > 0.2


def test_the_same_numbers_give_the_same_p() -> None:
    random = np.random.default_rng(0)
    influence, boxes = random.normal(size=(30, 3)), random.integers(1, 5, (30, 3)).astype(float)
    chosen = [random.random(30) < 0.4 for _ in range(3)]
    assert p_of_images(influence, boxes, chosen) == p_of_images(influence, boxes, chosen)
