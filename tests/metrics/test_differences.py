"""Better, worse or no telling; and which boxes only one of two detectors finds."""

import numpy as np
import pytest

from tasks.artifacts.analysis import Interval
from tasks.metrics.coco import figures_of
from tasks.metrics.differences import Flip, differences, flips
from tasks.metrics.matching import match_detections
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.simulated import draw_for

A, B = [10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0]


def of_skills(one: float, other: float, seed: int = 1) -> dict[str, str]:
    truth, (first, second) = draw_for(np.random.default_rng(seed), 100, [one, other])
    before, after = match_detections(truth, first), match_detections(truth, second)
    found = differences(before, after)
    assert [each.name for each in found[:4]] == ["mAP", "AP50", "AP75", "AR100"]
    assert (found[0].before, found[0].after) == (figures_of(before).mean_ap, figures_of(after).mean_ap)
    return {each.name: each.verdict for each in found}


def test_much_more_skill_is_better_and_much_less_is_worse() -> None:
    assert of_skills(0.5, 1.0)["mAP"] == of_skills(0.5, 1.0)["AP50"] == "better"
    assert of_skills(1.0, 0.5)["mAP"] == "worse"


def test_equal_skill_gives_no_verdict() -> None:
    assert of_skills(1.0, 1.0)["mAP"] == "can't tell"


def test_a_detector_against_itself_gives_no_interval_and_no_verdict() -> None:
    truth, (once,) = draw_for(np.random.default_rng(1), 30, [1.0])
    for each in differences(match_detections(truth, once), match_detections(truth, once)):
        assert (each.before, each.interval, each.verdict) == (each.after, None, "can't tell")


def test_everything_found_against_nothing_found_is_better_by_one() -> None:
    truth = dataset(*[annotated((A, "cat"))] * 8, classes=("cat",))
    nothing, everything = (match_detections(truth, [own] * 8) for own in (detect(), detect((A, "cat", 0.9))))
    for each in differences(nothing, everything):
        assert (each.interval, each.verdict) == (Interval(1.0, 1.0), "better")


def test_flips_are_the_boxes_that_one_of_both_finds_at_its_own_score() -> None:
    truth = dataset(annotated((A, "cat"), (B, "dog")), annotated((A, "cat")), annotated((A, "cat"), crowd=[0]))
    first = [
        detect((A, "cat", 0.9), (B, "dog", 0.4)),
        detect((A, "cat", 0.2)),
        detect((A, "cat", 0.9)),
    ]
    second = [detect((A, "cat", 0.9)), detect((A, "cat", 0.6)), detect()]
    flipped = flips(match_detections(truth, first), 0.3, match_detections(truth, second), 0.5)
    assert flipped == [Flip(0, 1, "dog", False), Flip(1, 0, "cat", True)]


@pytest.mark.parametrize("class_", ["cat", "dog"])
def test_without_a_box_there_is_nothing_to_compare(class_: str) -> None:
    truth = dataset(annotated(), annotated(), classes=(class_,))
    for each in differences(
        match_detections(truth, [detect(), detect()]),
        match_detections(truth, [detect(), detect()]),
    ):
        assert (each.before, each.after, each.interval) == (None, None, None)
