"""Images that BatchNorm statistics are measured on: random crops of desktop photographs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from studies.base.materials import read_materials
from studies.packages import Package
from tasks.errors import DataError
from tasks.ground.files import sha256_of
from tasks.ground.walk import files_below
from tasks.images.image_file import FORMAT_OF_SUFFIX, open_image
from tasks.images.rgb import as_rgb

COUNT = 64
_MATERIALS = Path(__file__).parents[1] / "base" / "materials.yaml"
# Of each all photographs, of which the base's backgrounds are some.
_PACKAGES = ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "mate-backgrounds")
_PATHS, _DRAWINGS = ["*/backgrounds/*.jpg"], ["*/mate/abstract/*", "*/mate/desktop/*"]
_SEED = 1
_MAX_MEGAPIXELS = 100
# A crop's side, as a part of the photograph's shorter side: things are seen whole, and close.
_SMALLEST_CROP = 0.35


def photo_packages() -> list[Package]:
    """The packages of photographs, as studies/base pins them."""
    taken = {"paths": _PATHS, "without": _DRAWINGS}
    return [each.model_copy(update=taken) for each in read_materials(_MATERIALS) if each.name in _PACKAGES]


def photos_in(folder: Path) -> list[Path]:
    """The images in `folder` and below, in order.

    Raises:
        DataError: there are none.
    """
    photos = sorted(path for path in files_below(folder) if path.suffix.lower() in FORMAT_OF_SUFFIX)
    if not photos:
        raise DataError(f"{folder}: no photographs in it")
    return photos


def crops(photos: Sequence[Path], side_px: int, count: int = COUNT) -> npt.NDArray[np.uint8]:
    """`(count, side_px, side_px, 3)` squares, each from a random place of the next photograph; always the same.

    Raises:
        FormatError: a photograph cannot be read.
    """
    rng = np.random.default_rng(_SEED)
    return np.stack([_crop(photos[i % len(photos)], side_px, rng) for i in range(count)])


def _crop(photo: Path, side_px: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    with open_image(photo, max_megapixels=_MAX_MEGAPIXELS) as image:
        side = int(min(image.size) * rng.uniform(_SMALLEST_CROP, 1.0))
        left, top = (int(rng.integers(0, length - side + 1)) for length in image.size)
        square = as_rgb(image).crop((left, top, left + side, top + side))
        return np.asarray(square.resize((side_px, side_px), Image.Resampling.BILINEAR), dtype=np.uint8)


def digest_of(photos: Sequence[Path]) -> str:
    """One SHA-256 for all of them, in their order."""
    return hashlib.sha256("\n".join(map(sha256_of, photos)).encode()).hexdigest()
