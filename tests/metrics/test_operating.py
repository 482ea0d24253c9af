"""Precision, recall and F1 at a score, and the score where F1 is highest."""

import numpy as np
import pytest

from tasks.metrics.matching import Matches, match_detections
from tasks.metrics.operating import Counts, best_score, counts_at
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.reference import generated_case

A, B, C = ([10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0], [100.0, 100.0, 140.0, 140.0])


@pytest.fixture
def matches() -> Matches:
    truth = dataset(annotated((A, "cat"), (B, "cat")), annotated((A, "dog")))
    detections = [
        detect((A, "cat", 0.9), (C, "cat", 0.6), (B, "cat", 0.3)),
        detect((C, "dog", 0.8), (A, "dog", 0.2)),
    ]
    return match_detections(truth, detections)


def test_counts_at_a_score_of_one_class_and_of_all(matches: Matches) -> None:
    assert counts_at(matches, 0.6, 0) == Counts(1, 1, 1)
    assert counts_at(matches, 0.0, 1) == Counts(1, 1, 0)
    assert counts_at(matches, 0.25) == Counts(2, 2, 1)
    assert counts_at(matches, 0.95) == Counts(0, 0, 3)


def test_precision_recall_and_f1_follow_from_the_counts() -> None:
    counts = Counts(3, 1, 2)
    assert (counts.precision, counts.recall, counts.f1) == (0.75, 0.6, pytest.approx(2 / 3))
    assert (Counts(0, 0, 2).precision, Counts(0, 0, 2).recall, Counts(0, 0, 2).f1) == (None, 0.0, 0.0)
    assert (Counts(0, 0, 0).recall, Counts(0, 0, 0).f1) == (None, None)


def test_the_best_score_lies_between_kept_and_dropped_detections(matches: Matches) -> None:
    assert best_score(matches, 0) == pytest.approx(0.15)  # all three: 2 true, 1 false, F1 0.8
    truth, detections = dataset(annotated((A, "cat"))), [detect((A, "cat", 0.9), (C, "cat", 0.4))]
    assert best_score(match_detections(truth, detections), 0) == pytest.approx(0.65)


def test_there_is_no_best_score_where_nothing_was_found() -> None:
    assert best_score(match_detections(dataset(annotated((A, "cat"))), [detect((C, "cat", 0.9))])) is None
    assert best_score(match_detections(dataset(annotated((A, "cat"))), [detect()]), 0) is None


def test_no_other_score_has_a_higher_f1() -> None:
    for seed in range(100):
        matches = match_detections(*generated_case(seed))
        best = best_score(matches)
        if best is None:
            assert not (matches.matched[0, 0] & ~matches.ignored[0, 0]).any()
            continue
        every = [counts_at(matches, score).f1 or 0.0 for score in np.unique(matches.score)]
        assert counts_at(matches, best).f1 == pytest.approx(max(every)), f"case {seed}"
