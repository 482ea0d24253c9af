"""Intervals, operating points, confusion and mistakes, as analysis.json holds them."""

import numpy as np

from tasks.metrics.analysis import analysis, carriers_of, intervals_of
from tasks.metrics.coco import figures_of
from tasks.metrics.matching import match_detections
from tests.metrics.cases import annotated, dataset, detect
from tests.metrics.simulated import draw

A, B = [10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0]


def test_the_analysis_agrees_with_the_figures() -> None:
    truth, detections = draw(np.random.default_rng(1), 60)
    matches = match_detections(truth, detections)
    content = analysis(truth, detections, matches, 0.5)
    low, high = content.intervals["mAP"] or (0.0, 0.0)
    assert low < (figures_of(matches).mean_ap or 0.0) < high
    everything = content.at_threshold.all
    assert (content.at_best_f1.all.f1 or 0.0) >= (everything.f1 or 0.0) > 0
    assert everything.score == 0.5
    boxes = sum(len(image.classes) for image in truth.images)
    assert content.confusion
    assert (everything.true or 0) + (everything.missed or 0) == boxes == sum(map(sum, content.confusion.counts[:-1]))
    assert all((kind.ap50_gain or 0.0) >= 0 for kind in content.mistakes.values())


def test_a_mean_over_classes_rests_on_the_images_of_the_rarest() -> None:
    truth = dataset(
        annotated((A, "cat"), (B, "cat")), annotated((A, "cat"), (B, "dog")), annotated((A, "dog"), crowd=[0])
    )
    matches = match_detections(truth, [detect(), detect(), detect()])
    assert carriers_of(matches) == {
        **dict.fromkeys(("mAP", "AP50", "AP75", "AR100"), 1),
        "AP of cat": 2,
        "AP of dog": 1,
    }
    assert set(intervals_of(matches).values()) == {None}


def test_without_images_the_analysis_is_empty() -> None:
    truth = dataset()
    content = analysis(truth, [], match_detections(truth, []), 0.5)
    assert content.intervals["mAP"] is None
    assert content.by_iou == []
    assert content.confusion
    assert sum(map(sum, content.confusion.counts)) == 0
