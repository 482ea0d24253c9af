"""How fast an exported model is: from a photo's pixels to boxes, and its runtime alone with several threads."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.artifacts.speed import Latency, ModelSpeed
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detector, batches
from tasks.evaluation.exported import FileDetector, load_variant
from tasks.evaluation.scoring import pixel_count
from tasks.ground.process import usable_cores
from tasks.images.image_file import read_rgb

Image = npt.NDArray[np.uint8]
_TIMED_IMAGES, _WARM_UP = 24, 3
# All timed images are held in memory at once, in 300 MB, so that no decoding comes between two of them.
_TIMED_PIXELS = 100_000_000
_FEW_IMAGES, _CALLS, _MOST_SECONDS = 6, 48, 30


def timed_images(images: Dataset) -> list[Image]:
    """The pixels of the first 24 images, of fewer where they have over 100 megapixels together, but of one at least."""
    timed = next(batches(images.images, _TIMED_IMAGES, pixel_count, _TIMED_PIXELS), [])
    return [read_rgb(images.image_path(image)) for image in timed]


def measure_speed(
    detector: Detector, pixels: Sequence[Image], batch_size: int, size_mb: float | None = None
) -> ModelSpeed:
    """The median time of one image at a time, and images a second in batches; None without images.

    Measured from pixels in memory to boxes: without reading and decoding files, with resizing to the model's input. A
    few images run first and do not count: the first calls compile and allocate. Large images make batches smaller, as
    in `detect_all`. `size_mb` is passed on.
    """
    if not pixels:
        return ModelSpeed(size_mb=size_mb)
    for pixel in pixels[:_WARM_UP]:
        detector.detect([pixel])
    each = [_seconds(lambda pixel=pixel: detector.detect([pixel])) for pixel in pixels]  # type: ignore[misc]
    total = sum(each) if batch_size == 1 else _seconds_in_batches(detector, pixels, batch_size)
    return ModelSpeed(size_mb=size_mb, latency_ms=1000 * statistics.median(each), images_per_s=len(pixels) / total)


def _seconds_in_batches(detector: Detector, pixels: Sequence[Image], batch_size: int) -> float:
    together = list(batches(pixels, batch_size, lambda pixel: pixel.shape[0] * pixel.shape[1]))
    detector.detect(together[0])
    return sum(_seconds(lambda batch=batch: detector.detect(batch)) for batch in together)  # type: ignore[misc]


def measure_latency(file: Path, pixels: Sequence[Image]) -> dict[int, Latency]:
    """The runtime of the variant in `file` alone, with 1, 2 and all threads; nothing without images.

    Each is 48 calls after 3 that do not count, over six images in turn; of a slow model as many as take half a minute,
    6 at least.
    """
    if not pixels:
        return {}
    counts = sorted({1, min(2, usable_cores()), usable_cores()})
    return {threads: latency_of(load_variant(file, threads=threads), pixels) for threads in counts}


def latency_of(detector: FileDetector, pixels: Sequence[Image]) -> Latency:
    """The runtime of `detector` alone, of one photo or more; see `measure_latency`."""
    inputs: list[Any] = [detector.prepare(pixel) for pixel in pixels[:_FEW_IMAGES]]
    for prepared in inputs[:_WARM_UP]:
        detector.run(prepared)
    times: list[float] = []
    while len(times) < _CALLS and (len(times) < _FEW_IMAGES or sum(times) < 1000 * _MOST_SECONDS):
        prepared = inputs[len(times) % len(inputs)]
        times.append(1000 * _seconds(lambda prepared=prepared: detector.run(prepared)))  # type: ignore[misc]
    return Latency(p50_ms=float(np.percentile(times, 50)), p95_ms=float(np.percentile(times, 95)))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
