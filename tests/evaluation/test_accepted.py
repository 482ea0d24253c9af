"""Which variants may be shipped, by what they lose on the val split."""

from pathlib import Path

import pytest

from tasks.artifacts.analysis import Interval
from tasks.errors import EvaluationError
from tasks.evaluation.accepted import Judge
from tasks.metrics.differences import Difference
from tasks.metrics.matching import match_detections
from tests.metrics.cases import annotated, dataset, detect


def judge(on_loss):
    return Judge(dataset(classes=("cat",)), match_detections(dataset(classes=("cat",)), []), 0.02, on_loss)


SURE_LOSS = Difference("mAP", 0.5, 0.4, Interval(-0.15, -0.05))


@pytest.mark.parametrize(
    "difference",
    [
        Difference("mAP", 0.5, 0.45, Interval(-0.08, -0.02)),
        Difference("mAP", 0.5, 0.6, Interval(0.05, 0.15)),
        Difference("mAP", 0.5, 0.3, None),
    ],
    ids=["within", "better", "no interval"],
)
def test_a_variant_that_may_lose_little_enough_is_shipped(difference):
    assert judge("stop").why_left_out(Path("model_int8.tflite"), difference) is None


def test_a_loss_on_one_image_is_reported_in_the_singular(capsys):
    one = dataset(annotated(), classes=("cat",))
    judge = Judge(one, match_detections(one, [detect()]), 0.02, "stop")
    assert judge.why_left_out(Path("model_int8.tflite"), Difference("mAP", 0.5, 0.3, None)) is None
    assert "loses 0.200 mAP on 1 val image, too few to be sure of it" in " ".join(capsys.readouterr().out.split())


def test_a_sure_loss_stops_or_is_left_out():
    with pytest.raises(
        EvaluationError, match=r"model_int8.tflite surely loses more than 0.02 mAP .*0.050 to 0.150.*leave_out"
    ):
        judge("stop").why_left_out(Path("model_int8.tflite"), SURE_LOSS)
    assert "surely loses" in judge("leave_out").why_left_out(Path("model_int8.tflite"), SURE_LOSS)
