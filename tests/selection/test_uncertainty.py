"""The uncertainty of a photo, on scores that can be checked by hand."""

import numpy as np
import pytest

from tasks.artifacts.evaluation import ClassFigures
from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tasks.selection.uncertainty import class_difficulty, photo_uncertainty


def scored(*scores: float, name: str = "cat") -> Detections:
    boxes = as_boxes([[0, 0, 10, 10]] * len(scores))
    return Detections(boxes, (name,) * len(scores), np.array(scores, np.float64))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((), 0.0), ((0.5,), 1.0), ((0.5, 0.5), 2.0), ((1.0,), 0.0), ((0.25,), 0.811278), ((0.75,), 0.811278)],
    ids=str,
)
def test_the_entropies_of_all_detections_are_summed_in_bits(scores: tuple[float, ...], expected: float) -> None:
    assert photo_uncertainty(scored(*scores), {}) == pytest.approx(expected, abs=1e-6)


def test_a_hundred_tiny_scores_count_nothing() -> None:
    assert photo_uncertainty(scored(0.5, *[0.04] * 99), {}) == pytest.approx(1.0)


@pytest.mark.parametrize(("difficulty", "weight"), [(0.0, 1.0), (1.0, 1.2), (0.5, 1.160514)], ids=str)
def test_a_class_counts_more_the_harder_it_is(difficulty: float, weight: float) -> None:
    assert photo_uncertainty(scored(0.5), {"cat": difficulty}) == pytest.approx(weight, abs=1e-5)
    assert photo_uncertainty(scored(0.5, name="dog"), {"cat": difficulty}) == pytest.approx(1.0)


def test_a_class_whose_ap_was_not_measured_has_no_difficulty() -> None:
    figures = {"cat": ClassFigures(AP=0.75), "dog": ClassFigures()}
    assert class_difficulty(figures) == {"cat": 0.25}
