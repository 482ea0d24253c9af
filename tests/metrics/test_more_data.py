"""From detections of trainings to what twice the labels would bring, in figures and in words."""

import re

import numpy as np
import pytest

from tasks.artifacts.analysis import Interval
from tasks.artifacts.learning_curve import Expected, FittedCurve, MeasuredCurve, SizeScores
from tasks.dataset.boxes import as_boxes
from tasks.dataset.detections import Detections
from tasks.errors import EvaluationError
from tasks.metrics.coco import coco_figures
from tasks.metrics.more_data import measured_curve, require_scored_images
from tasks.metrics.more_data_texts import answer_lines, size_lines
from tests.metrics.cases import annotated, dataset
from tests.metrics.simulated import draw_for

SIZES = [(25, 26), (50, 52), (100, 104)]
BOX = [10.0, 10.0, 50.0, 50.0]


def expected(value: float, low: float, high: float) -> Expected:
    return Expected(value=value, interval=Interval(low, high))


def measured(curve: FittedCurve | None, needed: int | None, why: str = "") -> MeasuredCurve:
    return MeasuredCurve(
        model="a_model",
        steps=300,
        sizes=[SizeScores(percent=100, images=104, scores=[0.5, 0.6, 0.7])],
        scored={"val": 24, "test": 55},
        curve=curve,
        why_no_curve=why,
        images_to_see_gain=needed,
    )


CURVE = FittedCurve(
    now=expected(0.571, 0.49, 0.65),
    doubled=expected(0.612, 0.53, 0.69),
    gain=expected(0.041, 0.004, 0.081),
    exponent=expected(0.5, 0.13, 2),
    places=[],
    fits=True,
)


def test_better_trainings_on_more_images_give_a_curve_that_rises() -> None:
    truth, flat = draw_for(np.random.default_rng(1), 60, [0.6, 0.6, 0.6, 0.8, 0.8, 0.8, 1.0, 1.0, 1.0])
    found = [flat[0:3], flat[3:6], flat[6:9]]
    result = measured_curve(SIZES, truth, found, scored={"val": 25, "test": 35}, model="a_model", steps=300)
    assert [(row.percent, row.images) for row in result.sizes] == SIZES
    assert result.sizes[2].scores[0] == pytest.approx(coco_figures(truth, found[2][0]).mean_ap)
    curve = result.curve
    assert curve is not None
    assert curve.gain.value == pytest.approx(curve.doubled.value - curve.now.value)
    assert 0.01 < curve.gain.value < result.sizes[2].mean - result.sizes[1].mean
    assert curve.gain.interval.low < curve.gain.value < curve.gain.interval.high
    assert (curve.places[0].images, curve.places[-1].images) == (26, 208)
    assert result.images_to_see_gain is not None
    assert result.images_to_see_gain > 60


def test_trainings_that_find_nothing_end_in_a_sentence_and_no_figure() -> None:
    truth, (found,) = draw_for(np.random.default_rng(1), 30, [1.0])
    nothing = [Detections(as_boxes([]), (), np.zeros(0))] * len(found)
    result = measured_curve(SIZES, truth, [[nothing] * 2] * 3, scored={"test": 30}, model="a_model", steps=300)
    assert result.curve is None
    first, second = answer_lines(result)
    assert first.startswith("mAP is 0 after every training")
    assert second == "how many test images show a gain of 0.02 is not known: all trainings found the same"


def test_the_answer_in_words() -> None:
    assert answer_lines(measured(CURVE, 3149)) == [
        "twice the labels (208 images): mAP 0.61 (0.53 to 0.69), now 0.57 (0.49 to 0.65); "
        "on the same images +0.04 (+0.00 to +0.08)",
        "to see a gain of 0.02 takes about 3100 test images, you have 55",
    ]
    assert size_lines(measured(CURVE, 1)) == ["100 % (104 images): mAP 0.600 (0.500, 0.600, 0.700)"]


def test_a_curve_that_does_not_fit_is_called_a_guess() -> None:
    lines = answer_lines(measured(CURVE.model_copy(update={"fits": False}), 31))
    assert "a guess" in lines[1]
    assert "about 31 test images" in lines[2]


def test_a_reason_stands_in_place_of_the_curve() -> None:
    assert answer_lines(measured(None, 7, "mAP does not rise"))[0] == "mAP does not rise"


@pytest.mark.parametrize(("images", "shown"), [(4, "4"), (0, "0")])
def test_too_few_scored_images_are_refused_before_any_training(images: int, shown: str) -> None:
    with pytest.raises(
        EvaluationError, match=re.escape(f"of the {images} val and test images {shown} show the rarest")
    ):
        require_scored_images(dataset(*[annotated((BOX, "cat"))] * images))


def test_five_images_of_each_class_are_enough() -> None:
    require_scored_images(dataset(*[annotated((BOX, "cat"), (BOX, "dog"))] * 5))
