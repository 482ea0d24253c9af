"""The kind of each mistake, and what mending it gains, on cases that can be checked by hand."""

import pytest

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.detections import Detections
from tasks.metrics.coco import figures_of
from tasks.metrics.errors import KINDS, Mistake, gains, mistakes
from tasks.metrics.matching import match_detections
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.reference import generated_case

BOX = [10.0, 10.0, 50.0, 50.0]
THIRD = [30.0, 10.0, 70.0, 50.0]  # half of BOX and half beside it: IoU 1/3
APART = [100.0, 100.0, 140.0, 140.0]


def of(image: AnnotatedImage, detections: Detections) -> tuple[list[Mistake], dict[str, float | None]]:
    truth = dataset(image)
    matches = match_detections(truth, [detections])
    every = mistakes(truth, [detections], matches)
    return every, {kind: gain and round(gain, 6) for kind, gain in gains(matches, every).items()}


@pytest.mark.parametrize(
    ("detections", "kinds"),
    [
        (detect((BOX, "cat", 0.9)), []),
        (detect((BOX, "dog", 0.9)), ["classification"]),
        (detect((THIRD, "cat", 0.9)), ["localisation"]),
        (detect((THIRD, "dog", 0.9)), ["both", "missed"]),
        (detect((BOX, "cat", 0.9), (BOX, "cat", 0.8)), ["duplicate"]),
        (detect((BOX, "cat", 0.9), (APART, "cat", 0.8)), ["background"]),
        (detect(), ["missed"]),
        (detect((APART, "dog", 0.8)), ["background", "missed"]),
        # That it lies badly on its own class counts before that it lies well on the other.
        (detect((THIRD, "cat", 0.9), (BOX, "dog", 0.8)), ["localisation", "classification"]),
    ],
)
def test_each_mistake_has_its_kind(detections: Detections, kinds: list[str]) -> None:
    every, _ = of(annotated((BOX, "cat")), detections)
    assert [mistake.kind for mistake in every] == kinds


def test_a_crowd_box_is_no_mistake() -> None:
    every, _ = of(annotated((BOX, "cat"), (APART, "cat"), crowd=[1]), detect((BOX, "cat", 0.9), (APART, "cat", 0.8)))
    assert every == []


def test_a_mistake_says_which_detection_and_which_box() -> None:
    truth = dataset(annotated((BOX, "cat")), annotated((APART, "dog"), (BOX, "dog")))
    detections = [detect((BOX, "cat", 0.9)), detect((BOX, "cat", 0.8))]
    matches = match_detections(truth, detections)
    wrong, missed = mistakes(truth, detections, matches)
    assert (wrong.image, wrong.kind, wrong.box) == (1, "classification", 2)
    assert (matches.image[wrong.detection], matches.score[wrong.detection]) == (1, 0.8)
    assert missed == Mistake(1, "missed", -1, 1)


def test_without_the_false_box_that_halves_the_precision_ap50_gains_a_half() -> None:
    every, gained = of(annotated((BOX, "cat")), detect((APART, "cat", 0.9), (BOX, "cat", 0.8)))
    assert [mistake.kind for mistake in every] == ["background"]
    assert gained == {**dict.fromkeys(KINDS, 0.0), "background": 0.5}


def test_a_corrected_class_gains_for_the_annotated_class() -> None:
    # Of the cats one of two is found: 51 of 101 recalls. Of the dogs the one, after a false one.
    image = annotated((BOX, "cat"), (APART, "cat"), ([150.0, 150.0, 190.0, 190.0], "dog"))
    _, gained = of(image, detect((BOX, "cat", 0.9), (APART, "dog", 0.8), ([150.0, 150.0, 190.0, 190.0], "dog", 0.7)))
    assert gained["classification"] == pytest.approx(((1 - 51 / 101) + 0.5) / 2, abs=1e-6)
    assert gained["missed"] == 0.0


def test_a_second_corrected_detection_does_not_find_the_box_again() -> None:
    _, gained = of(annotated((BOX, "cat")), detect((THIRD, "cat", 0.9), (THIRD, "cat", 0.8)))
    assert gained["localisation"] == 1.0


def test_a_missed_box_that_need_not_be_found_gains_its_recall() -> None:
    _, gained = of(annotated((BOX, "cat"), (APART, "cat")), detect((BOX, "cat", 0.9)))
    assert gained["missed"] == pytest.approx(1 - 51 / 101, abs=1e-6)


def test_without_boxes_there_is_no_gain() -> None:
    every, gained = of(annotated(), detect((BOX, "cat", 0.9)))
    assert [mistake.kind for mistake in every] == ["background"]
    assert set(gained.values()) == {None}


def test_every_false_detection_has_one_kind_and_no_gain_is_negative() -> None:
    for seed in range(150):
        truth, detections = generated_case(seed)
        matches = match_detections(truth, detections)
        every = mistakes(truth, detections, matches)
        false = ~matches.matched[0, 0] & ~matches.ignored[0, 0]
        assert sorted(each.detection for each in every if each.detection >= 0) == false.nonzero()[0].tolist()
        before = figures_of(matches).ap50
        gained = gains(matches, every)
        assert (before is None) == (gained["missed"] is None)
        assert before is None or min(gain or 0.0 for gain in gained.values()) >= -1e-9, f"case {seed}: {gained}"


def test_a_class_whose_boxes_were_all_missed_gains_everything() -> None:
    every, gained = of(annotated((BOX, "cat"), (APART, "dog")), detect((BOX, "cat", 0.9)))
    assert [mistake.kind for mistake in every] == ["missed"]
    assert gained["missed"] == 0.5
