"""Which variants may be shipped, by what they lose on the val split."""

from pathlib import Path

import pytest

from tasks.artifacts.analysis import Interval
from tasks.errors import EvaluationError
from tasks.evaluation.accepted import Judge
from tasks.metrics.differences import Difference
from tasks.metrics.matching import match_detections
from tasks.model.variants import VARIANTS
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


def test_a_sure_loss_stops_or_is_left_out():
    with pytest.raises(
        EvaluationError, match=r"model_int8.tflite surely loses more than 0.02 mAP .*0.050 to 0.150.*leave_out"
    ):
        judge("stop").why_left_out(Path("model_int8.tflite"), SURE_LOSS)
    assert "surely loses" in judge("leave_out").why_left_out(Path("model_int8.tflite"), SURE_LOSS)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("float32", "take float32 out of export.variants, or allow more"),
        ("float16", "take float16 out of export.variants (float32 rounds nothing), or allow more"),
        ("dynamic", "take dynamic out of export.variants (float16 usually loses less), or allow more"),
        (
            "int8",
            "take int8 out of export.variants (all forms of int8 were tried, with ranges of all training photos, too; "
            "dynamic and float16 usually lose less), or allow more",
        ),
        ("onnx", "take onnx out of export.variants, or allow more"),
    ],
)
def test_the_stop_names_what_to_do_for_this_variant(name, way):
    with pytest.raises(EvaluationError) as stop:
        judge("stop").why_left_out(Path(VARIANTS[name].file), SURE_LOSS)
    assert str(stop.value).endswith(
        f": set export.on_loss to leave_out to export the others, {way} in export.max_mAP_loss"
    )


def val_judge(images):
    """A judge whose val split has `images` images that show a cat, and one that is empty."""
    val = dataset(*[annotated(([10.0, 10.0, 50.0, 50.0], "cat"))] * images, annotated(), classes=("cat",))
    return Judge(val, match_detections(val, [detect()] * (images + 1)), 0.02, "stop")


@pytest.mark.parametrize("difference", [Difference("mAP", 0.5, 0.3, None), Difference("mAP", 0.5, 0.5, None)])
def test_a_loss_on_few_images_is_said_to_be_not_proven(difference, capsys):
    assert val_judge(4).why_left_out(Path("model_int8.tflite"), difference) is None
    assert capsys.readouterr().out == (
        f"export: model_int8.tflite is exported, but nothing is proven of what it loses (mAP {difference.change:+.3f} "
        "on val): the rarest class is in 4 of the 5 val images, and an interval needs 5: annotate more photos, or "
        "raise split.val_fraction\n"
    )


def test_without_val_images_the_warning_says_so(capsys):
    assert judge("stop").why_left_out(Path("model_int8.tflite"), Difference("mAP", None, None, None)) is None
    assert "nothing is proven of what it loses: there are no val images: annotate" in capsys.readouterr().out


def test_variants_that_give_the_same_on_enough_images_are_no_reason_to_warn(capsys):
    assert val_judge(5).why_left_out(Path("model.tflite"), Difference("mAP", 0.5, 0.5, None)) is None
    assert capsys.readouterr().out == ""
