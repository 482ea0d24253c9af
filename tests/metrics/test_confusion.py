"""The confusion matrix: written out by hand, and its sums against what there is, in generated cases."""

import numpy as np
import pytest

from tasks.metrics.confusion import confusion
from tasks.metrics.matching import match_detections
from tasks.metrics.operating import counts_at
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.reference import generated_case

A, B, C = ([10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0], [100.0, 100.0, 140.0, 140.0])


def test_each_box_and_each_detection_is_in_one_cell() -> None:
    truth = dataset(annotated((A, "cat"), (B, "cat"), (C, "dog")), annotated((A, "dog")))
    detections = [
        detect((A, "cat", 0.9), (B, "dog", 0.8), (C, "dog", 0.2)),
        detect((A, "dog", 0.9), (A, "dog", 0.6), (B, "cat", 0.5)),
    ]
    result = confusion(truth, detections, match_detections(truth, detections), 0.3)
    # Rows cat, dog, background; columns the same. The dog of 0.2 is below the score: its box was not found.
    assert result.counts.tolist() == [[1, 1, 0], [0, 1, 1], [1, 1, 0]]
    assert result.images == {(0, 0): (0,), (0, 1): (0,), (1, 1): (1,), (1, 2): (0,), (2, 0): (1,), (2, 1): (1,)}


def test_a_box_goes_to_the_right_class_before_a_wrong_class_with_a_higher_score() -> None:
    truth = dataset(annotated((A, "cat")))
    detections = [detect((A, "dog", 0.9), (A, "cat", 0.4))]
    result = confusion(truth, detections, match_detections(truth, detections), 0.3)
    assert result.counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_crowds_and_detections_in_them_are_left_out() -> None:
    truth = dataset(annotated((A, "cat"), crowd=[0]))
    detections = [detect((A, "cat", 0.9))]
    assert confusion(truth, detections, match_detections(truth, detections), 0.0).counts.sum() == 0


@pytest.mark.parametrize("seed", range(100))
def test_rows_sum_to_the_boxes_and_columns_to_the_detections(seed: int) -> None:
    truth, detections = generated_case(seed)
    matches = match_detections(truth, detections)
    score = float(np.random.default_rng(seed).uniform(0, 0.8))
    counts = confusion(truth, detections, matches, score).counts
    for k in range(len(truth.classes)):
        own = counts_at(matches, score, k)
        assert counts[k, k] == own.true
        assert counts[k].sum() == own.true + own.missed
        assert counts[:, k].sum() == own.true + own.false
