"""Intervals hold the truth about as often as they say: few test sets here, a thousand by tests/metrics/coverage.py."""

import numpy as np
import pytest

from tasks.metrics.coco import figures_of
from tasks.metrics.matching import match_detections
from tests.metrics.coverage import coverage, coverage_of_differences
from tests.metrics.simulated import TRUTH, TRUTH_WITHIN, draw

SETS = 60
# Of 60 sets with a share of 95 % each, fewer than 52 hold it once in 300 times.
AT_LEAST = 52 / SETS


def test_the_assumed_truth_is_the_figure_of_a_large_test_set() -> None:
    figures = figures_of(match_detections(*draw(np.random.default_rng(99), 20_000)))
    for name, true in TRUTH.items():
        measured = figures.per_class[name[6:]].ap if name.startswith("AP of ") else figures.by_name()[name]
        assert measured == pytest.approx(true, abs=3 * TRUTH_WITHIN), name


@pytest.mark.nightly
def test_intervals_of_figures_hold_the_truth() -> None:
    assert min(coverage(60, SETS).values()) >= AT_LEAST


@pytest.mark.nightly
def test_intervals_of_differences_hold_zero_where_there_is_none() -> None:
    assert min(coverage_of_differences(60, SETS).values()) >= AT_LEAST
