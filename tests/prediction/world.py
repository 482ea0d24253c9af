"""Photos of one made-up world, an embedder that needs no training, and an export folder that has learned from them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tasks.artifacts.training_photos import photo_facts, write_training_photos
from tasks.images.light_and_focus import light_and_focus


class GridEmbedder:
    """The mean colours of 6 x 6 cells, centred; counts how many photos it was given."""

    def __init__(self) -> None:
        self.photos = 0

    def __call__(self, photos: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        vectors = [self._vector(photo) for photo in photos]
        self.photos += len(vectors)
        return np.array(vectors, np.float32).reshape(-1, 1280)

    def _vector(self, photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        cells = np.asarray(Image.fromarray(photo).resize((6, 6), Image.Resampling.BOX), np.float64).ravel()
        vector = np.zeros(1280)
        vector[: cells.size] = cells - cells.mean()
        return vector / (np.linalg.norm(vector) + 1e-9)


def scene(seed: int, *, light: float = 1.0) -> npt.NDArray[np.uint8]:
    """Coloured blocks, `(48, 64, 3)`; `light` makes all of them darker."""
    blocks = np.random.default_rng(seed).integers(60, 230, (6, 8, 3))
    return (np.kron(blocks, np.ones((8, 8, 1))) * light).astype(np.uint8)


def save_scenes(folder: Path, seeds: Iterable[int], *, light: float = 1.0) -> list[Path]:
    """PNG files `SEED.png` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{seed}.png" for seed in seeds]
    for path in paths:
        Image.fromarray(scene(int(path.stem), light=light)).save(path)
    return paths


def learned_from(folder: Path, seeds: Iterable[int]) -> Path:
    """An export folder with nothing but the training photos."""
    folder.mkdir(parents=True, exist_ok=True)
    photos = [scene(seed) for seed in seeds]
    write_training_photos(photo_facts(GridEmbedder()(photos), [light_and_focus(photo) for photo in photos]), folder)
    return folder
