"""Intervals over seeds, and over images and seeds."""

import pytest

from studies.chance import over_images_and_seeds, over_seeds
from tasks.artifacts.analysis import Interval


def test_an_interval_over_seeds_is_students() -> None:
    found = over_seeds([0.1, 0.2, 0.3])
    assert found is not None
    # The standard error is 0.1 / sqrt(3); t of two degrees of freedom, 4.303.
    assert (found.low, found.high) == pytest.approx((0.2 - 0.2484, 0.2 + 0.2484), abs=1e-4)
    assert over_seeds([0.1]) is None


def test_an_interval_over_images_and_seeds_is_that_of_the_one_where_the_other_says_nothing() -> None:
    images = Interval(0.1, 0.3)
    same = over_images_and_seeds(images, 40, [0.2, 0.2, 0.2])
    assert same is not None
    assert (same.low, same.high) == pytest.approx((0.1, 0.3))
    seeds, alone = over_images_and_seeds(Interval(0.1999, 0.2001), 40, [0.1, 0.2, 0.3]), over_seeds([0.1, 0.2, 0.3])
    assert seeds is not None
    assert alone is not None
    assert (seeds.low, seeds.high) == pytest.approx((alone.low, alone.high), abs=1e-4)
    assert over_images_and_seeds(images, 40, [0.2]) is None
    assert over_images_and_seeds(None, 40, [0.1, 0.2]) is None
