"""Photos of plain noise, labelled or not, and an embedder that goes by their colour."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.ground.files import sha256_of
from tasks.images.image_file import inspect_image
from tasks.selection.choosing import Vectors


def photo(path: Path, seed: int, *, white: tuple[int, int, int, int] | None = None, **options: Any) -> Path:
    """A photo of coarse noise: those of different seeds are not similar."""
    noise = np.random.default_rng(seed).integers(0, 180, (8, 8, 3)).astype(np.uint8)
    image = Image.fromarray(noise).resize((96, 64), Image.Resampling.BICUBIC)
    if white:
        image.paste((255, 255, 255), white)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def labelled(root: Path, *names: str) -> Dataset:
    """The data set of photos below `root`, with the hashes that the gate gives them."""
    return Dataset(root, ("white",), tuple(_annotated(root, name) for name in names))


def _annotated(root: Path, name: str) -> AnnotatedImage:
    facts = inspect_image(root / name, max_megapixels=10)
    return AnnotatedImage(
        name,
        facts.width,
        facts.height,
        as_boxes([[1, 1, 9, 9]]),
        ("white",),
        flags(1),
        flags(1),
        sha256=sha256_of(root / name),
        perceptual_hash=facts.perceptual_hash,
    )


class ColourEmbedder:
    """Stands where the network stands: the mean colour of a photo's quarters, as a vector of unit length."""

    def __call__(self, photos: Iterable[npt.NDArray[np.uint8]]) -> Vectors:
        rows = [self._one(photo) for photo in photos]
        return np.stack(rows) if rows else np.zeros((0, 12), np.float32)

    def _one(self, photo: npt.NDArray[np.uint8]) -> Vectors:
        small = Image.fromarray(photo).resize((2, 2), Image.Resampling.BOX)
        colours = np.asarray(small, np.float32).reshape(-1) + 1.0
        unit: Vectors = colours / np.linalg.norm(colours)
        return unit
