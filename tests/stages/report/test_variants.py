"""What the report page shows of variants: those that were left out, too few photos, and no float32."""

from tasks.artifacts.analysis import Interval
from tasks.artifacts.evaluation import CocoFigures
from tasks.artifacts.speed import Latency, ModelSpeed, Speed, write_speed
from tasks.artifacts.variant_losses import VariantLoss, VariantLosses, write_variant_losses
from tests.metrics.cases import detect
from tests.stages.report.report_run import SQUARE, Run

REASON = "model_int8.tflite surely loses more than 0.02 mAP on the val split (95 %: 0.050 to 0.150)"
NO_TFLITE = dict.fromkeys(CocoFigures.model_fields) | {"per_class": {}}


def loss(name, **changes):
    given = {"file": f"model_{name}.tflite", "runtime": "TFLite", "form": "a form", "size_mb": 3.5, "mean_ap": 0.49}
    return VariantLoss(name=name, **given | {"difference": -0.01, "interval": Interval(-0.02, 0.005)} | changes)


def run_with(folder, *scored, left_out=None, carriers=12):
    run = Run(folder)
    losses = VariantLosses(scored=list(scored), left_out=left_out or {}, images=20, carriers=carriers)
    write_variant_losses(folder / "detections", losses)
    latency = {1: Latency(p50_ms=14.9, p95_ms=16.1)}
    write_speed(
        folder / "speed.json",
        Speed(machine="a toaster", models={each.name: ModelSpeed(by_threads=latency) for each in scored}),
    )
    return run


def test_a_variant_that_was_left_out_is_shown_with_its_reason(tmp_path):
    page = run_with(tmp_path, loss("float16"), left_out={"int8": REASON}).page()
    assert f"int8 was left out at export: {REASON}." in page.text
    assert len(page.all("table")) == len(run_with(tmp_path, loss("float16")).page().all("table"))


def test_where_all_were_left_out_there_is_no_empty_table(tmp_path):
    page = run_with(tmp_path, left_out={"int8": REASON}).page()
    assert "What it loses by variant" in page.text
    assert f"int8 was left out at export: {REASON}." in page.text
    assert "Each variant ran over" not in page.text
    assert not page.all("div", **{"aria-label": "Variants"})


def test_too_few_photos_are_said_in_the_column_and_below(tmp_path):
    text = run_with(tmp_path, loss("float32", interval=None), carriers=3).page().text
    assert "too few photos3.5" in text
    assert "What the variants lose is not proven: the rarest class is in 3 of the 20 test images" in text


def test_without_float32_the_page_has_no_column_of_tflite(tmp_path):
    run = run_with(tmp_path, loss("int8"))
    detections = [detect((SQUARE, "cat", 0.9))] * 2
    assert "TFLite" in run.page().text
    run.evaluate(detections, tflite=NO_TFLITE)
    page = run.page()
    assert "TFLite" not in page.text
    assert "SavedModel" in page.text
    assert page.open == []
