"""The exported detector alone, on pixels in memory: `python -m bench.bare_runtime MODEL PHOTOS`.

It is loaded and called as `predict` does, with the same threads. Nothing is read, drawn or written while it runs.
"""

import sys
import time
from pathlib import Path

from tasks.ground.process import silence_libraries
from tasks.images.image_file import read_rgb


def batch_size(model: Path) -> int:
    """How many images are given together: a TFLite file takes one at a time."""
    return 1 if model.suffix == ".tflite" else 8


def main(model: Path, photos: Path) -> None:
    """Detect in every JPEG below `photos`, and print the speed as `predict` does; neither warms up."""
    silence_libraries()
    # Imports TensorFlow, which must be silenced first.
    from tasks.evaluation.exported import load_exported  # noqa: PLC0415

    detector = load_exported(model)
    pixels = [read_rgb(path) for path in sorted(photos.rglob("*.jpg"))]
    size = batch_size(model)
    start = time.perf_counter()
    for first in range(0, len(pixels), size):
        detector.detect(pixels[first : first + size])
    print(f"{len(pixels)} images, {len(pixels) / (time.perf_counter() - start):.2f} images/s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
