"""Data of any size to measure with, all images different: coloured noise with boxes in Pascal VOC, and drawn scenes."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.formats.pascal_voc import write_voc
from tasks.ground.process import usable_cores
from tasks.sample_scenes.scenes import draw_scene

_CLASSES = ("bolt", "clip", "nut", "ring", "washer")
_SIZE = (320, 240)
SCENE_SIZE = (640, 480)
_IN_A_FOLDER = 1000


def generate(folder: Path, count: int, *, seed: int = 1) -> None:
    """Write `count` JPEG images of 320 x 240 px and their annotations below `folder`.

    Image i is the same whatever `count` is; it has 1 to 5 boxes.
    """
    with ThreadPoolExecutor(usable_cores()) as pool:
        _drain(tqdm(pool.map(lambda i: _write(folder, i, seed), range(count)), desc="generating", total=count))


def generate_scenes(folder: Path, count: int, *, seed: int = 1) -> None:
    """Write `count` JPEG images of 640 x 480 px below `folder`: scenes as in the drawn sample, so that boxes are found.

    Image i is the same whatever `count` is.
    """
    with ThreadPoolExecutor(usable_cores()) as pool:
        _drain(tqdm(pool.map(lambda i: _write_scene(folder, i, seed), range(count)), desc="generating", total=count))


def _drain(results: Iterable[None]) -> None:
    for _ in results:
        pass


def _write_scene(folder: Path, number: int, seed: int) -> None:
    width, height = SCENE_SIZE
    path = folder / f"{number // _IN_A_FOLDER:04d}/{number:07d}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_scene(np.random.default_rng((seed, number)), width=width, height=height).image.save(path, quality=90)


def _write(folder: Path, number: int, seed: int) -> None:
    random = np.random.default_rng((seed, number))
    width, height = _SIZE
    where = f"{number // _IN_A_FOLDER:04d}/{number:07d}"
    path = folder / "images" / f"{where}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Blobs of several sizes: roughly a photograph's spectrum, so that it compresses like one and all hashes differ.
    scales = ((8, 6), (32, 24), (80, 60))
    layers = [Image.fromarray(random.integers(0, 256, (h, w, 3), dtype=np.uint8)).resize(_SIZE) for w, h in scales]
    Image.blend(Image.blend(layers[0], layers[1], 0.35), layers[2], 0.2).save(path, quality=85)
    n = int(random.integers(1, 6))
    corners = random.uniform(0, 0.6, (n, 2)) * _SIZE
    sides = random.uniform(0.1, 0.35, (n, 2)) * _SIZE
    image = AnnotatedImage(
        file_name=f"{where}.jpg",
        width=width,
        height=height,
        boxes=np.hstack([corners, corners + sides]).round(),
        classes=tuple(random.choice(_CLASSES, n).tolist()),
        difficult=flags(n),
        iscrowd=flags(n),
    )
    annotation = folder / "annotations" / f"{where}.xml"
    annotation.parent.mkdir(parents=True, exist_ok=True)
    write_voc(image, annotation)
