"""What the report page shows of variants: those that were left out, too few photos, and no float32."""

import itertools
import re

import pytest

from tasks.artifacts.analysis import Interval
from tasks.artifacts.evaluation import CocoFigures
from tasks.artifacts.speed import Latency, ModelSpeed, Speed, write_speed
from tasks.artifacts.variant_losses import VariantLoss, VariantLosses, write_variant_losses
from tasks.model.variants import VARIANTS
from tasks.report_page.variants import COLOURS, spread, variant_table
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


def picture_of(p50_ms):
    """The picture of variants with these latencies, in ms, all of one mAP."""
    losses = VariantLosses(scored=[loss(name) for name in p50_ms], images=20, carriers=12)
    models = {name: ModelSpeed(by_threads={1: Latency(p50_ms=ms, p95_ms=ms)}) for name, ms in p50_ms.items()}
    table = variant_table(losses, Speed(models=models))
    assert table is not None
    return str(table.picture)


def test_names_of_variants_in_one_place_are_not_printed_over_each_other():
    picture = picture_of(dict.fromkeys(VARIANTS, 20.0))
    heights = {name: float(y) for y, name in re.findall(r'y="([\d.]+)"[^>]*>(\w+)</text>', picture) if name in VARIANTS}
    assert heights.keys() == VARIANTS.keys()
    ordered = sorted(heights.values())
    assert min(after - before for before, after in itertools.pairwise(ordered)) >= 14.9


def test_a_variant_has_one_colour_whichever_others_there_are():
    assert COLOURS.keys() == VARIANTS.keys()
    assert len(set(COLOURS.values())) == len(COLOURS)
    alone = picture_of({"int8": 9.0})
    assert COLOURS["int8"] in alone
    assert COLOURS["float32"] not in alone
    assert COLOURS["int8"] in picture_of({"float32": 20.0, "dynamic": 12.0, "int8": 9.0})


@pytest.mark.parametrize("ground", ["#ffffff", "#1b1e24"])
@pytest.mark.parametrize("name", VARIANTS)
def test_colours_stand_out_from_the_light_and_the_dark_page(name, ground):
    lighter, darker = sorted((luminance(COLOURS[name]), luminance(ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3.0


def luminance(colour):
    """The relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], []),
        ([30.0], [30.0]),
        ([0.0, 50.0], [10.0, 50.0]),
        ([50.0, 50.0], [45.0, 55.0]),
        ([100.0, 100.0, 100.0], [80.0, 90.0, 100.0]),
    ],
)
def test_places_are_apart_and_inside(places, expected):
    moved = spread(places, 10.0, 10.0, 100.0)
    assert len(moved) == len(expected)
    assert all(10.0 <= place <= 100.0 for place in moved)
    assert all(after - before >= 10.0 for before, after in itertools.pairwise(moved))
    assert moved == expected


def test_one_line_has_one_kind_of_minus_and_times_without_meaningless_digits(tmp_path):
    text = run_with(tmp_path, loss("int8")).page().text
    assert "\u22120.010\u22120.020 to 0.0053.515 (16)" in text
    assert "-0.0" not in text
