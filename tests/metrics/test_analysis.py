"""What stands in analysis.json."""

import json

import numpy as np

from tasks.metrics.analysis import analysis, carriers_of, intervals_of
from tasks.metrics.coco import figures_of, matched
from tests.metrics.cases import annotated, dataset, found
from tests.metrics.simulated import draw

A, B = [10.0, 10.0, 50.0, 50.0], [60.0, 60.0, 90.0, 90.0]


def test_it_is_json_and_agrees_with_the_figures() -> None:
    truth, detections = draw(np.random.default_rng(1), 60)
    matches = matched(truth, detections)
    content = json.loads(json.dumps(analysis(truth, detections, matches, 0.5), allow_nan=False))
    figures = figures_of(matches)
    low, high = content["intervals"]["mAP"]
    assert low < figures["mAP"] < high
    assert content["at_best_F1"]["all"]["F1"] >= content["at_threshold"]["all"]["F1"] > 0
    assert content["at_threshold"]["all"]["score"] == 0.5
    boxes = sum(len(image.classes) for image in truth.images)
    everything = content["at_threshold"]["all"]
    assert everything["true"] + everything["missed"] == boxes == sum(map(sum, content["confusion"]["counts"][:-1]))
    assert all(kind["AP50_gain"] >= 0 for kind in content["mistakes"].values())


def test_a_mean_over_classes_rests_on_the_images_of_the_rarest() -> None:
    truth = dataset(
        annotated((A, "cat"), (B, "cat")), annotated((A, "cat"), (B, "dog")), annotated((A, "dog"), crowd=[0])
    )
    matches = matched(truth, [found(), found(), found()])
    assert carriers_of(matches) == {
        **dict.fromkeys(("mAP", "AP50", "AP75", "AR100"), 1),
        "AP of cat": 2,
        "AP of dog": 1,
    }
    assert set(intervals_of(matches).values()) == {None}


def test_without_images_everything_is_empty_and_nothing_breaks() -> None:
    truth = dataset()
    content = json.loads(json.dumps(analysis(truth, [], matched(truth, []), 0.5), allow_nan=False))
    assert content["intervals"]["mAP"] is None
    assert content["by_iou"] == []
    assert sum(map(sum, content["confusion"]["counts"])) == 0
