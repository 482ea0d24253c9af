"""How fast an exported model is: one image at a time, and in batches."""

import statistics
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.artifacts.speed import ModelSpeed
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detector, batches
from tasks.evaluation.scoring import pixel_count
from tasks.images.image_file import read_rgb

_TIMED_IMAGES, _WARM_UP = 24, 3
# All timed images are held in memory at once, in 300 MB, so that no decoding comes between two of them.
_TIMED_PIXELS = 100_000_000


def measure_speed(detector: Detector, images: Dataset, batch_size: int, size_mb: float | None = None) -> ModelSpeed:
    """The median time of one image at a time, and images a second in batches; None without images.

    Measured from pixels in memory to boxes: without reading and decoding files, with resizing to the model's input.
    The first 24 images are timed, fewer where they have more than 100 megapixels together, but at least one. A few
    images run first and do not count: the first calls compile and allocate. Large images make batches smaller, as in
    `detect_all`. `size_mb` is passed on.
    """
    timed = next(batches(images.images, _TIMED_IMAGES, pixel_count, _TIMED_PIXELS), [])
    pixels = [read_rgb(images.image_path(image)) for image in timed]
    if not pixels:
        return ModelSpeed(size_mb=size_mb)
    for pixel in pixels[:_WARM_UP]:
        detector.detect([pixel])
    each = [_seconds(detector, [pixel]) for pixel in pixels]
    together = list(batches(pixels, batch_size, lambda pixel: pixel.shape[0] * pixel.shape[1]))
    detector.detect(together[0])
    total = sum(_seconds(detector, batch) for batch in together)
    return ModelSpeed(size_mb=size_mb, latency_ms=1000 * statistics.median(each), images_per_s=len(pixels) / total)


def _seconds(detector: Detector, pixels: Sequence[npt.NDArray[np.uint8]]) -> float:
    start = time.perf_counter()
    detector.detect(pixels)
    return time.perf_counter() - start
