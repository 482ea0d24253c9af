"""What the card, the report and the gate say of variants."""

import pytest

from tasks.artifacts.analysis import Interval
from tasks.artifacts.speed import Latency, ModelSpeed, Speed
from tasks.artifacts.variant_losses import VariantLoss, read_variant_losses, write_variant_losses
from tasks.evaluation.losses import complaint, is_too_much, mean_ap_difference
from tasks.evaluation.variant_section import variant_section
from tasks.metrics.differences import Difference
from tasks.metrics.matching import match_detections
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


SPEED = Speed(
    machine="a toaster",
    models={
        "int8": ModelSpeed(
            size_mb=3.5, by_threads={1: Latency(p50_ms=14.9, p95_ms=16.1), 2: Latency(p50_ms=9, p95_ms=10)}
        )
    },
)


def test_the_card_has_a_row_and_code_for_each_variant() -> None:
    text = "\n".join(variant_section([loss(), loss("float32", takes_pixels=False)], SPEED, "0.40", 3))
    assert "| file | mAP | less the SavedModel | 95 % | MB | ms, 1 thread | ms, 2 threads | take it for |" in text
    assert (
        "| `model_int8.tflite` | 0.490 | -0.010 | -0.020 to 0.005 | 3.5 | 14.9 (16.1) | 9.0 (10.0) | small and fast"
        in text
    )
    assert 'model.set_tensor(entry["index"], image)' in text
    assert "image.astype(np.float32) / 127.5 - 1.0" in text
    assert text.count("n = int(count) * 3") == text.count("keep = scores[:n] >= 0.40") == 2
    assert variant_section([], SPEED, "0.40", 3) == []


def test_the_card_names_what_an_edge_tpu_leaves_to_the_cpu_and_what_loses_too_much() -> None:
    text = "\n".join(variant_section([loss(edge_tpu_fallbacks={"DEQUANTIZE": 2}, is_too_much=True)], SPEED, "0.40", 3))
    assert "the compiler leaves to the CPU: DEQUANTIZE (2). It was not run." in text
    assert "-0.010 **too much**" in text


def test_code_for_onnx_takes_a_photo_of_any_size() -> None:
    text = "\n".join(variant_section([loss("onnx", file="model.onnx", runtime="ONNX Runtime")], SPEED, "0.40", 3))
    assert 'onnxruntime.InferenceSession("exported/model.onnx"' in text
    assert '{"input_tensor": image[None]}' in text


def test_a_loss_is_too_much_where_its_whole_interval_is_beyond() -> None:
    assert is_too_much(Difference("mAP", 0.5, 0.4, Interval(-0.2, -0.021)), 0.02)
    assert not is_too_much(Difference("mAP", 0.5, 0.4, Interval(-0.2, -0.019)), 0.02)
    assert not is_too_much(Difference("mAP", 0.5, 0.1, None), 0.02)


def test_the_complaint_names_variant_loss_and_remedy() -> None:
    bad = loss(difference=-0.1, interval=Interval(-0.15, -0.05), is_too_much=True)
    assert complaint([loss()], 0.02) == ""
    assert complaint([loss(), bad], 0.02).startswith(
        "model_int8.tflite loses 0.100 mAP on the test split (95 %: 0.050 to 0.150): surely more "
        "than export.max_mAP_loss (0.02). "
    )


def test_the_difference_is_the_variants_map_less_the_references() -> None:
    truth = dataset(*[annotated((BOX, "cat"))] * 6, classes=("cat",))
    whole = match_detections(truth, [detect((BOX, "cat", 0.9))] * 6)
    half = match_detections(truth, [detect((BOX, "cat", 0.9)), detect()] * 3)
    difference = mean_ap_difference(whole, half)
    assert (difference.before, difference.after) == (1.0, pytest.approx(0.5, abs=0.02))
    assert difference.change == pytest.approx(-0.5, abs=0.02)
    assert difference.loss == pytest.approx(0.5, abs=0.02)


def test_losses_read_back_as_they_were_written(tmp_path) -> None:
    write_variant_losses(tmp_path, [loss(), loss("float16", interval=None, difference=None)])
    assert read_variant_losses(tmp_path) == [loss(), loss("float16", interval=None, difference=None)]
    assert read_variant_losses(tmp_path / "older") == []


def test_the_reports_table_has_a_picture_where_variants_were_timed() -> None:
    table = variant_table([loss(), loss("float32")], SPEED)
    assert table is not None
    assert table.threads == [1, 2]
    assert [row.latencies[0] is None for row in table.rows] == [False, True]
    assert "int8" in str(table.picture)
    untimed = variant_table([loss()], None)
    assert untimed is not None
    assert untimed.picture is None
    assert variant_table([], SPEED) is None
