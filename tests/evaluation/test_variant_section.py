"""What the card, the report and the gate say of variants."""

import re
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from tasks.artifacts.analysis import Interval
from tasks.artifacts.speed import Latency, ModelSpeed, Speed
from tasks.artifacts.variant_losses import VariantLoss, VariantLosses, read_variant_losses, write_variant_losses
from tasks.evaluation.losses import complaint, is_too_much, mean_ap_difference
from tasks.evaluation.preprocess import scaled
from tasks.evaluation.variant_section import variant_section
from tasks.metrics.differences import Difference
from tasks.metrics.loss_texts import remarks
from tasks.metrics.matching import match_detections
from tasks.model.resizer import Resizer
from tasks.model.variants import VARIANTS
from tasks.params import VariantName
from tasks.report_page.variants import variant_table
from tests.metrics.cases import annotated, dataset, detect

BOX = [10.0, 10.0, 50.0, 50.0]


def loss(name: VariantName = "int8", **changes: object) -> VariantLoss:
    given: dict[str, object] = {
        "name": name,
        "file": f"model_{name}.tflite",
        "runtime": "TFLite",
        "form": "full integer",
        "takes_pixels": True,
        "size_mb": 3.5,
        "mean_ap": 0.49,
        "difference": -0.01,
        "interval": Interval(-0.02, 0.005),
    }
    return VariantLoss.model_validate(given | changes)


def losses(*scored: VariantLoss, **changes: object) -> VariantLosses:
    given: dict[str, object] = {"scored": scored, "images": 20, "carriers": 12}
    return VariantLosses.model_validate(given | changes)


def card_of(given: VariantLosses) -> str:
    return "\n".join(variant_section(given, SPEED, "0.40", 3))


LEFT_OUT = losses(loss("float16"), left_out={"int8": "model_int8.tflite surely loses more than 0.02 mAP"})

SPEED = Speed(
    machine="a toaster",
    models={
        "int8": ModelSpeed(
            size_mb=3.5, by_threads={1: Latency(p50_ms=14.9, p95_ms=16.1), 2: Latency(p50_ms=9, p95_ms=10)}
        )
    },
)


def test_the_card_has_a_row_and_code_for_each_variant() -> None:
    text = card_of(losses(loss(), loss("float32", takes_pixels=False)))
    assert "| file | mAP | less the SavedModel | 95 % | MB | ms, 1 thread | ms, 2 threads | take it for |" in text
    assert (
        "| `model_int8.tflite` | 0.490 | \u22120.010 | \u22120.020 to 0.005 | 3.5 | 15 (16) | 9.0 (10) | small and fast"
        in text
    )
    assert 'model.set_tensor(entry["index"], image)' in text
    assert "image.astype(np.float32) / 127.5 - 1.0" in text
    assert text.count("n = int(count) * 3") == text.count("in np.flatnonzero(scores[:n] >= 0.40):") == 2
    assert card_of(losses()) == ""


@pytest.mark.parametrize("size", [(541, 380), (120, 90), (64, 48), (1000, 333)])
def test_the_cards_code_scales_a_photo_as_it_is_scaled_where_the_file_is_scored(tmp_path, monkeypatch, size) -> None:
    text = card_of(losses(loss()))
    (code,) = re.findall(r"^photo = .*?^image = [^\n]*\n", text, re.MULTILINE | re.DOTALL)
    width, height = size
    pixels = np.random.default_rng(4).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", format="PNG")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"np": np, "Image": Image, "ImageOps": ImageOps, "width": 96, "height": 64}
    exec(code, names)  # noqa: S102 - the card's own code
    # PIL's pixels are whole numbers.
    np.testing.assert_allclose(names["image"], scaled(pixels, Resizer(height=64, width=96)), atol=1.02)


def test_the_card_names_what_an_edge_tpu_leaves_to_the_cpu_and_what_loses_too_much() -> None:
    text = card_of(losses(loss(edge_tpu_fallbacks={"DEQUANTIZE": 2}, is_too_much=True)))
    assert "the compiler leaves to the CPU: DEQUANTIZE (2). It was not run." in text
    assert "\u22120.010 **too much**" in text


def test_an_int8_file_with_wide_activations_is_not_called_fast() -> None:
    text = card_of(losses(loss(takes_pixels=False, edge_tpu_fallbacks={"CONV_2D": 72})))
    assert "16-bit activations are slow on CPUs" in text
    assert "small and fast" not in text
    assert "edgetpu_compiler" not in text


def test_code_for_onnx_takes_a_photo_of_any_size() -> None:
    text = card_of(losses(loss("onnx", file="model.onnx", runtime="ONNX Runtime")))
    assert 'onnxruntime.InferenceSession("exported/model.onnx"' in text
    assert '{"input_tensor": image[None]}' in text


def test_a_loss_is_too_much_where_its_whole_interval_is_beyond() -> None:
    assert is_too_much(Difference("mAP", 0.5, 0.4, Interval(-0.2, -0.021)), 0.02)
    assert not is_too_much(Difference("mAP", 0.5, 0.4, Interval(-0.2, -0.019)), 0.02)
    assert not is_too_much(Difference("mAP", 0.5, 0.1, None), 0.02)


def test_the_complaint_names_variant_loss_and_remedy() -> None:
    bad = loss(difference=-0.1, interval=Interval(-0.15, -0.05), is_too_much=True)
    assert complaint([loss()], 0.02, "stop") == ""
    assert complaint([loss(), bad], 0.02, "stop") == (
        "model_int8.tflite loses 0.100 mAP on the test split (95 %: 0.050 to 0.150), surely more than "
        "export.max_mAP_loss (0.02): take int8 out of export.variants (dynamic and float16 usually lose less), measure "
        "its ranges on more photos (export.calibration_images), allow more in export.max_mAP_loss, or set "
        "export.on_loss to leave_out, and report and card mark it without a stop"
    )


def test_a_complaint_that_does_not_stop_says_that_the_file_is_marked_and_what_to_do() -> None:
    bad = loss(difference=-0.1, interval=Interval(-0.15, -0.05), is_too_much=True)
    assert complaint([bad], 0.02, "leave_out").endswith(
        "report and card mark it; do not ship it, but take int8 out of export.variants (dynamic and float16 usually "
        "lose less) or measure its ranges on more photos (export.calibration_images)"
    )


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "int8"])
def test_only_int8_is_told_to_measure_on_more_photos(name: VariantName) -> None:
    bad = loss(name, difference=-0.1, interval=Interval(-0.15, -0.05), is_too_much=True)
    for on_loss in ("stop", "leave_out"):
        text = complaint([bad], 0.02, on_loss)
        assert f"take {name} out of export.variants" in text
        assert "calibration" not in text


def test_a_variant_that_was_left_out_is_on_the_card_with_its_reason() -> None:
    text = card_of(LEFT_OUT)
    assert r"int8 was left out at export: model\_int8.tflite surely loses more than 0.02 mAP." in text
    assert "exported/model_int8.tflite" not in text
    alone = card_of(losses(left_out={"float32": "too bad"}))
    assert alone == "## Variants\n\nfloat32 was left out at export: too bad.\n"


@pytest.mark.parametrize(
    ("changes", "carriers", "column"),
    [
        ({}, 12, "\u22120.020 to 0.005"),
        ({"interval": None}, 4, "too few photos"),
        ({"interval": None, "difference": 0.0}, 12, "no difference"),
        ({"interval": None, "difference": None, "mean_ap": None}, 0, "nothing to measure"),
    ],
    ids=["an interval", "few photos", "equal", "no boxes"],
)
def test_the_column_of_the_interval_says_why_there_is_none(changes: dict[str, Any], carriers: int, column: str) -> None:
    given = losses(loss(**changes), carriers=carriers)
    assert f"| {column} | 3.5 |" in card_of(given)
    table = variant_table(given, SPEED)
    assert table is not None
    assert table.rows[0].interval == column


@pytest.mark.parametrize(
    ("images", "carriers", "sentence"),
    [
        (20, 4, "the rarest class is in 4 of the 20 test images, and an interval needs 5"),
        (20, 0, "none of the 20 test images has a box"),
        (0, 0, "there are no test images"),
    ],
)
def test_a_loss_that_is_not_proven_is_said_to_be_on_few_images(images: int, carriers: int, sentence: str) -> None:
    given = losses(loss(interval=None), images=images, carriers=carriers)
    expected = f"What the variants lose is not proven: {sentence}: annotate more photos, or raise split.test_fraction"
    assert remarks(given) == [expected]
    assert expected.replace("_", r"\_") in card_of(given)
    assert remarks(losses(loss(), carriers=5)) == []


def test_the_difference_is_the_variants_map_less_the_references() -> None:
    truth = dataset(*[annotated((BOX, "cat"))] * 6, classes=("cat",))
    whole = match_detections(truth, [detect((BOX, "cat", 0.9))] * 6)
    half = match_detections(truth, [detect((BOX, "cat", 0.9)), detect()] * 3)
    difference = mean_ap_difference(whole, half)
    assert (difference.before, difference.after) == (1.0, pytest.approx(0.5, abs=0.02))
    assert difference.change == pytest.approx(-0.5, abs=0.02)
    assert difference.loss == pytest.approx(0.5, abs=0.02)


def test_losses_read_back_as_they_were_written(tmp_path) -> None:
    given = losses(loss(), loss("float16", interval=None, difference=None), left_out={"onnx": "too bad"})
    write_variant_losses(tmp_path, given)
    assert read_variant_losses(tmp_path) == given
    assert read_variant_losses(tmp_path / "older") == VariantLosses()


def test_the_reports_table_has_a_picture_where_variants_were_timed() -> None:
    table = variant_table(losses(loss(), loss("float32")), SPEED)
    assert table is not None
    assert table.threads == [1, 2]
    assert [row.latencies[0] is None for row in table.rows] == [False, True]
    assert "int8" in str(table.picture)
    untimed = variant_table(losses(loss()), None)
    assert untimed is not None
    assert untimed.picture is None
    assert variant_table(losses(), SPEED) is None
