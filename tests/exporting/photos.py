"""Pictures to measure ranges on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.dataset.dataset import Dataset
from tests.metrics.cases import annotated

CLASSES = ("cat", "dög", "bird")


def photos(folder: Path, count: int) -> Dataset:
    """`count` pictures of noise with one box each."""
    rng = np.random.default_rng(3)
    for number in range(count):
        Image.fromarray(rng.integers(0, 200, (60, 80, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    image = annotated(([5.0, 5.0, 40.0, 40.0], "cat"))
    images = [replace(image, file_name=f"{number}.png", width=80, height=60) for number in range(count)]
    return Dataset(folder, CLASSES, tuple(images))
