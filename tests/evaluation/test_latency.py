"""How often a file's runtime is timed, by a clock that the detector itself moves on."""

import time
from collections.abc import Sequence

import numpy as np
import pytest

from tasks.dataset.detections import Detections
from tasks.evaluation.measure_speed import Image, latency_of

PHOTOS = [np.zeros((4, 4, 3), np.uint8)] * 8


class Clockwork:
    """A detector that takes so many seconds a call."""

    classes = ("cat",)
    takes_pixels = True

    def __init__(self, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.calls, self._seconds = 0.0, 0, seconds
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        return []

    def prepare(self, image: Image) -> Image:
        return image

    def run(self, prepared: Image) -> None:
        self.calls += 1
        self.now += self._seconds


@pytest.mark.parametrize(("seconds", "counted"), [(0.04, 48), (1.0, 30), (60.0, 6)])
def test_a_slow_model_is_timed_less_often(seconds: float, counted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Clockwork(seconds, monkeypatch)

    latency = latency_of(detector, PHOTOS)

    assert detector.calls == 3 + counted
    assert latency.p50_ms == pytest.approx(1000 * seconds)
