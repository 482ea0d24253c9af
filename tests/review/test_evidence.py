"""What detections say of labels, worked out by hand; and probabilities from evidence."""

import numpy as np
import pytest

from tasks.review.calibration import fit_probability
from tasks.review.evidence import finders, label_features, log_odds, missing_features, seen, uncovered
from tasks.review.ranks import ranks_among
from tests.metrics.cases import annotated, detect

NOTHING = log_odds(np.array([0.0]))[0]


def odds(score: float) -> float:
    return float(np.log(score / (1 - score)))


def test_evidence_of_a_label_is_the_best_detection_in_its_place() -> None:
    found = seen(detect(((0, 0, 100, 100), "cat", 0.8), ((0, 0, 100, 60), "dog", 0.5)))
    boxes = np.array([[0.0, 0, 100, 100], [150, 150, 190, 190]])
    rows = label_features(boxes, np.array(["cat", "cat"]), found, (200, 200))
    whole = odds(0.99)  # log_odds ends there
    side = np.log([0.5, 0.2])
    np.testing.assert_allclose(
        rows[0], [*[odds(0.8)] * 4, odds(0.5), odds(0.8), whole, odds(0.8), odds(0.8), side[0], side[0] ** 2]
    )
    np.testing.assert_allclose(rows[1], [*[NOTHING] * 9, side[1], side[1] ** 2])


def test_a_box_that_is_off_agrees_the_less_the_more_exact_the_measure() -> None:
    # IoU 0.5 with the surest detection; a less sure one fits.
    found = seen(detect(((0, 0, 50, 100), "cat", 0.8), ((0, 0, 100, 100), "cat", 0.1)))
    row = label_features(np.array([[0.0, 0, 100, 100]]), np.array(["cat"]), found, (100, 100))[0]
    expected = [odds(0.8), odds(0.1), odds(0.8), odds(0.8), NOTHING, odds(0.4), odds(0.5), odds(0.1), odds(0.1), 0, 0]
    np.testing.assert_allclose(row, expected, atol=1e-12)


def test_the_rank_of_evidence_is_among_labels_of_its_class() -> None:
    rows = np.array([[1.0, 0], [2, 0], [3, 0], [-9, 0]])
    classes = np.array(["cat", "cat", "cat", "dog"])
    ranked = ranks_among(rows, classes, (0,))(np.array([[2.0, 7], [0, 7], [2, 7]]), np.array(["cat", "cat", "dog"]))
    # Of 3 and 1 labels, with one more above and below.
    np.testing.assert_allclose(ranked, [[2, 7, odds(2.5 / 5)], [0, 7, odds(1 / 5)], [2, 7, odds(2 / 3)]])
    # A class of which no label is left.
    np.testing.assert_allclose(
        ranks_among(rows, classes, (0,))(np.array([[0.0, 7]]), np.array(["bird"])), [[0, 7, odds(2 / 6)]]
    )


def test_a_detection_beside_all_labels_is_uncovered_once_and_its_score_counts() -> None:
    image = annotated(((0, 0, 100, 100), "cat"))
    found = seen(
        detect(((0, 0, 90, 100), "cat", 0.9), ((120, 0, 180, 60), "dog", 0.7), ((122, 0, 180, 60), "cat", 0.6))
    )
    places = uncovered(image, found)
    assert places.tolist() == [1]
    np.testing.assert_allclose(missing_features(image.boxes, found, places), [[odds(0.7), 0, 0, 0]])
    np.testing.assert_allclose(missing_features(np.zeros((0, 4)), found, places), [[odds(0.7), 0, 0, 1]])
    assert finders(image, found).tolist() == [0]


def test_a_detection_within_a_label_is_measured_so() -> None:
    found = seen(detect(((0, 0, 50, 50), "cat", 0.5)))
    np.testing.assert_allclose(
        missing_features(np.array([[0.0, 0, 100, 100]]), found, np.array([0])), [[0, 0.25, 1, 0]]
    )


def test_nothing_seen_finds_nothing() -> None:
    image, found = annotated(((0, 0, 100, 100), "cat")), seen(detect())
    assert finders(image, found).tolist() == [-1]
    assert uncovered(image, found).tolist() == []
    assert missing_features(image.boxes, found, uncovered(image, found)).shape == (0, 4)
    np.testing.assert_allclose(
        label_features(image.boxes, np.array(["cat"]), found, (100, 100)), [[NOTHING] * 9 + [0, 0]]
    )


def test_detections_with_next_to_no_score_say_nothing() -> None:
    assert seen(detect(((0, 0, 9, 9), "cat", 0.5), ((0, 0, 9, 9), "cat", 0.001))).scores.tolist() == [0.5]


def test_probabilities_follow_the_planted_mistakes_and_the_assumed_rate() -> None:
    rng = np.random.default_rng(0)
    mistakes, others = rng.normal(-2, 1, (200, 1)), rng.normal(2, 1, (400, 1))
    low, high = fit_probability(mistakes, others, 0.05)(np.array([[-3.0], [3.0]]))
    assert low > 0.8
    assert high < 0.01
    likelier = fit_probability(mistakes, others, 0.5)(np.array([[0.0]]))
    assert likelier[0] > fit_probability(mistakes, others, 0.05)(np.array([[0.0]]))[0]


@pytest.mark.parametrize(("mistakes", "others"), [(0, 5), (5, 0), (0, 0)])
def test_without_examples_of_both_nothing_is_probable(mistakes: int, others: int) -> None:
    probability = fit_probability(np.ones((mistakes, 2)), np.ones((others, 2)), 0.1)
    assert probability(np.ones((3, 2))).tolist() == [0.0] * 3
