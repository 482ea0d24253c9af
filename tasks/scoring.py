"""An exported model over a part of the data: what is shipped is what is scored."""

import statistics
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tasks.annotation.dataset import Dataset
from tasks.annotation.detections import Detections, Detector
from tasks.errors import EvaluationError
from tasks.formats.image_file import read_rgb

_TIMED_IMAGES, _WARM_UP = 24, 3


def detect_all(detector: Detector, images: Dataset, batch_size: int, name: str) -> list[Detections]:
    """Detections in every image of `images`, in their order; `name` is the detector's, for the progress bar.

    Raises:
        EvaluationError: the detector's classes are not the images', or an image went unscored.
    """
    if detector.classes != images.classes:
        raise EvaluationError(
            f"{name} knows the classes {', '.join(detector.classes)}, the split has {', '.join(images.classes)}; "
            "run `dvc repro` so that both come from the same run"
        )
    found: list[Detections] = []
    with tqdm(total=len(images.images), desc=name, unit="image") as bar:
        for start in range(0, len(images.images), batch_size):
            part = images.images[start : start + batch_size]
            found += detector.detect([read_rgb(images.image_path(image)) for image in part])
            bar.update(len(part))
    if len(found) != len(images.images):
        raise EvaluationError(f"{name}: {len(found)} of {len(images.images)} images were scored; the rest were lost")
    return found


def measure_speed(detector: Detector, images: Dataset, batch_size: int) -> dict[str, float | None]:
    """`latency_ms`, the median of one image at a time, and `images_per_s`, of batches; None without images.

    From pixels in memory to boxes: reading and decoding files is not in it, resizing to the model's input is. Up to 24
    images, after a few that count into nothing: the first calls compile and allocate.
    """
    pixels = [read_rgb(images.image_path(image)) for image in images.images[:_TIMED_IMAGES]]
    if not pixels:
        return {"latency_ms": None, "images_per_s": None}
    for pixel in pixels[:_WARM_UP]:
        detector.detect([pixel])
    each = [_seconds(detector, [pixel]) for pixel in pixels]
    detector.detect(pixels[:batch_size])
    batches = [pixels[start : start + batch_size] for start in range(0, len(pixels), batch_size)]
    total = sum(_seconds(detector, batch) for batch in batches)
    return {"latency_ms": 1000 * statistics.median(each), "images_per_s": len(pixels) / total}


def _seconds(detector: Detector, pixels: Sequence[npt.NDArray[np.uint8]]) -> float:
    start = time.perf_counter()
    detector.detect(pixels)
    return time.perf_counter() - start
