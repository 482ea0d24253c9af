"""An exported model over a part of the data: what is shipped is what is scored."""

import statistics
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections, Detector, batches
from tasks.errors import EvaluationError
from tasks.images.image_file import read_rgb

_TIMED_IMAGES, _WARM_UP = 24, 3
# All that are timed are held at once, in 300 MB, so that no decoding comes between two of them.
_TIMED_PIXELS = 100_000_000


def detect_all(detector: Detector, images: Dataset, batch_size: int, name: str) -> list[Detections]:
    """Detections in every image of `images`, in their order; `name` is the detector's, for the progress bar.

    Up to `batch_size` images are held at once, fewer where they are large (`batches` says how large).

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
        for part in batches(images.images, batch_size, _pixels):
            found += detector.detect([read_rgb(images.image_path(image)) for image in part])
            bar.update(len(part))
    if len(found) != len(images.images):
        raise EvaluationError(f"{name}: {len(found)} of {len(images.images)} images were scored; the rest were lost")
    return found


def measure_speed(detector: Detector, images: Dataset, batch_size: int) -> dict[str, float | None]:
    """`latency_ms`, the median of one image at a time, and `images_per_s`, of batches; None without images.

    From pixels in memory to boxes: reading and decoding files is not in it, resizing to the model's input is. The first
    24 images, or as many of them as have 100 megapixels together, but at least one; a few of them first, which count
    into nothing: the first calls compile and allocate. As in `detect_all`, large images make batches smaller.
    """
    timed = next(batches(images.images, _TIMED_IMAGES, _pixels, _TIMED_PIXELS), [])
    pixels = [read_rgb(images.image_path(image)) for image in timed]
    if not pixels:
        return {"latency_ms": None, "images_per_s": None}
    for pixel in pixels[:_WARM_UP]:
        detector.detect([pixel])
    each = [_seconds(detector, [pixel]) for pixel in pixels]
    together = list(batches(pixels, batch_size, lambda pixel: pixel.shape[0] * pixel.shape[1]))
    detector.detect(together[0])
    total = sum(_seconds(detector, batch) for batch in together)
    return {"latency_ms": 1000 * statistics.median(each), "images_per_s": len(pixels) / total}


def _pixels(image: AnnotatedImage) -> int:
    return image.width * image.height


def _seconds(detector: Detector, pixels: Sequence[npt.NDArray[np.uint8]]) -> float:
    start = time.perf_counter()
    detector.detect(pixels)
    return time.perf_counter() - start
