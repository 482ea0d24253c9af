"""How losses and contradicting times are put into words."""

import pytest

from tasks.artifacts.speed import Latency, ModelSpeed, Speed
from tasks.metrics.loss_texts import loss_text
from tasks.metrics.timing_texts import RUN_AGAIN, timing_remark


@pytest.mark.parametrize(
    ("loss", "text"),
    [(0.012, "loses 0.012"), (-0.008, "gains 0.008"), (0.0, "loses no"), (-0.0004, "loses no"), (0.0004, "loses no")],
)
def test_a_negative_loss_is_a_gain(loss: float, text: str) -> None:
    assert loss_text(loss) == text


def model(latency_ms: float, *by_threads: float) -> ModelSpeed:
    times = {count: Latency(p50_ms=ms, p95_ms=ms) for count, ms in enumerate(by_threads, 1)}
    return ModelSpeed(latency_ms=latency_ms, by_threads=times)


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ({"float32": model(30.0, 25.0, 14.0), "saved_model": ModelSpeed(latency_ms=39.0)}, ""),
        ({"float32": model(30.0, 25.0, 26.0)}, ""),
        ({"float32": model(30.0, 24.6, 26.9)}, "2 threads are slower than 1 (float32)"),
        ({"onnx": model(13.3, 21.7, 21.8)}, "the whole is faster than the runtime alone (onnx)"),
        (
            {"float32": model(30.0, 20.0, 30.0), "int8": model(9.0, 15.0, 10.0)},
            "2 threads are slower than 1 (float32) and the whole is faster than the runtime alone (int8)",
        ),
        ({"int8": model(9.0)}, ""),
    ],
)
def test_times_that_contradict_each_other_are_of_a_busy_machine(models: dict[str, ModelSpeed], sentence: str) -> None:
    assert timing_remark(Speed(models=models)) == (f"{sentence}: {RUN_AGAIN}" if sentence else "")
