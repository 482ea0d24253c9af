"""The images of the drawn data set, each with its annotation: plain scenes first, then one for each fault."""

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.sample_scenes.faults import Entry, Fault, encode
from tasks.sample_scenes.scenes import draw_scene

# Scenes for faults are drawn from here on, so that more scenes leave the faulty ones as they are.
_FIRST_FAULT = 1_000_000


def draw_entries(seed: int, n_images: int, faults: Sequence[Fault]) -> Iterator[Entry]:
    """`n_images` scenes, then one with each of `faults`; the same seed gives the same bytes."""
    for index in range(n_images):
        yield _draw_entry(seed, index, f"scene_{index:04d}")
    spare = count(_FIRST_FAULT)
    for fault in faults:
        name = f"fault_{fault.name}"
        entry = _draw_entry(seed, 0 if fault.of_first_scene else next(spare), name)
        while not (fault.of_first_scene or fault.suits(entry.image)):
            entry = _draw_entry(seed, next(spare), name)
        yield fault.plant(entry)


def _draw_entry(seed: int, index: int, name: str) -> Entry:
    rng = np.random.default_rng((seed, index))
    width, height = int(rng.integers(420, 561)), int(rng.integers(320, 421))
    if rng.uniform() < 0.15:
        width, height = height, width
    quality = int(rng.integers(80, 94))
    scene = draw_scene(rng, width=width, height=height)
    image = AnnotatedImage(
        file_name=f"images/{name}.jpg",
        width=width,
        height=height,
        boxes=as_boxes(scene.boxes),
        classes=tuple(scene.classes),
        difficult=flags(len(scene.classes)),
        iscrowd=flags(len(scene.classes)),
    )
    return Entry(encode(scene.image, "JPEG", quality=quality), image)
