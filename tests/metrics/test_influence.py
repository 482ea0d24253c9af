"""Influences: what they add up to, and that they are the derivative of average precision."""

import numpy as np
import numpy.typing as npt
import pytest

from tasks.metrics.coco import figures_of
from tasks.metrics.influence import by_image, influences
from tasks.metrics.matching import IOUS, Matches, match_detections
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.simulated import draw
from tests.metrics.slice_figures import only_images

SQUARE, ELSEWHERE = [10.0, 10.0, 50.0, 50.0], [100.0, 100.0, 140.0, 140.0]


def average_precision(matches: Matches, k: int, weights: npt.NDArray[np.float64]) -> float:
    """Of a class, its images weighted: the precision over every recall that is reached, the mean over IoUs."""
    own = matches.class_ == k
    weight = weights[matches.image[own]]
    boxes = weights[matches.box_image[(matches.box_class == k) & ~matches.box_ignored[0]]].sum()
    areas = []
    for t in range(len(IOUS)):
        true = matches.matched[0, t, own] & ~matches.ignored[0, t, own]
        false = ~matches.matched[0, t, own] & ~matches.ignored[0, t, own]
        hits, misses = np.cumsum(weight * true), np.cumsum(weight * false)
        precision = hits / np.maximum(hits + misses, 1e-12)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        areas.append((weight * true * best).sum() / boxes)
    return float(np.mean(areas))


def of_images(matches: Matches) -> npt.NDArray[np.float64]:
    found = influences(matches)
    return by_image(matches, found.detection.mean(axis=0), found.box)


def test_an_influence_is_the_derivative_of_average_precision_by_the_weight_of_an_image() -> None:
    truth, detections = draw(np.random.default_rng(3), 40)
    matches = match_detections(truth, detections)
    influence = of_images(matches)
    boxes = np.bincount(matches.box_class)
    for k in range(len(matches.classes)):
        for image in range(0, 40, 7):
            more = np.ones(40)
            more[image] += 1e-6
            change = average_precision(matches, k, more) - average_precision(matches, k, np.ones(40))
            # Where two places have the same best precision, the derivative is another to either side.
            assert boxes[k] * change / 1e-6 == pytest.approx(influence[image, k], abs=0.01)


def test_the_influences_of_a_class_add_up_to_nothing() -> None:
    matches = match_detections(*draw(np.random.default_rng(4), 40))
    np.testing.assert_allclose(of_images(matches).sum(axis=0), 0.0, atol=1e-9)


def test_the_influence_of_a_part_is_how_much_better_it_is() -> None:
    truth, detections = draw(np.random.default_rng(5), 100)
    matches = match_detections(truth, detections)
    influence = of_images(matches)
    whole = figures_of(matches).per_class["cat"].ap or 0.0
    for start in (0, 1, 2):
        part = np.arange(start, 100, 3)
        figures = figures_of(match_detections(*only_images(truth, detections, part)))
        boxes = (matches.box_class == 0) & np.isin(matches.box_image, part)
        assert (figures.per_class["cat"].ap or 0.0) - whole == pytest.approx(
            influence[part, 0].sum() / boxes.sum(), abs=0.02
        )


def test_a_miss_and_a_false_detection_lower_it_and_crowds_do_nothing() -> None:
    truth = dataset(
        annotated((SQUARE, "cat")),
        annotated((SQUARE, "cat")),
        annotated((SQUARE, "cat")),
        annotated((SQUARE, "cat"), crowd=[0]),
    )
    found = [
        detect((SQUARE, "cat", 0.9)),
        detect((ELSEWHERE, "cat", 0.8), (SQUARE, "cat", 0.7)),
        detect(),
        detect((SQUARE, "cat", 0.95)),
    ]
    influence = of_images(match_detections(truth, found))[:, 0]
    assert influence[0] > influence[1] > influence[2]
    assert influence[3] == 0


def test_without_images_or_boxes_there_are_no_influences() -> None:
    assert of_images(match_detections(dataset(), [])).shape == (0, 2)
    np.testing.assert_array_equal(
        of_images(match_detections(dataset(annotated()), [detect((SQUARE, "cat", 0.9))])), [[0.0, 0.0]]
    )
