"""What a scene's things stand before: a crop of a photograph, a surface, or a wall and a floor in perspective."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from studies.base.library import Background, Library
from studies.base.scenes.warp import perspective

Rng = np.random.Generator
Box = tuple[float, float, float, float]

# The smallest crop of a photograph: below, a scene is of a few blurred pixels.
_MIN_CROP_PX = 110
# A thing in a photograph is labelled where this share of it lies in the crop, as of a pasted one.
MIN_INSIDE = 0.4


@dataclass(frozen=True)
class Backdrop:
    """The picture, what a detector found in it (class and box in its pixels), and where its floor begins.

    Attributes:
        horizon: as a share of the height, for things that stand on the floor.
    """

    image: Image.Image
    found: list[tuple[str, Box]]
    horizon: float


def draw_backdrop(library: Library, rng: Rng, side: int, *, photo_share: float) -> Backdrop:
    """A backdrop, `side` pixels square."""
    horizon = float(rng.uniform(0.15, 0.6))
    found: list[tuple[str, Box]] = []
    if rng.random() < photo_share:
        image, found = _photograph(library, rng, side)
    elif rng.random() < 0.5:
        image = _surface(library, rng, side)
    else:
        image = _room(library, rng, side, horizon)
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3.0) * side / 320))
    return Backdrop(_recoloured(image, rng), found, horizon)


def _photograph(library: Library, rng: Rng, side: int) -> tuple[Image.Image, list[tuple[str, Box]]]:
    photo = library.photos[int(rng.integers(len(library.photos)))]
    left, top, right, bottom = _window(photo, rng)
    picture = library.background(photo)
    crop = picture.resize((side, side), Image.Resampling.BICUBIC, (left, top, right, bottom), 2.0)
    flip = bool(rng.random() < 0.5)
    scale = np.array([side / (right - left), side / (bottom - top)] * 2)
    found = []
    for finding in library.findings.get(photo.file, []):
        box = (np.array(finding.box) - [left, top, left, top]) * scale
        box = np.array([side - box[2], box[1], side - box[0], box[3]]) if flip else box
        inside = np.clip(box, 0, side)
        if _area(inside) >= MIN_INSIDE * _area(box) > 0:
            found.append((finding.label, (float(inside[0]), float(inside[1]), float(inside[2]), float(inside[3]))))
    found.sort(key=lambda thing: -_area(np.array(thing[1])))
    return (crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else crop), found


def _area(box: npt.NDArray[np.float64]) -> float:
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))


def _window(photo: Background, rng: Rng) -> tuple[int, int, int, int]:
    """A crop at a zoom from the whole to a detail, up to a fifth wider or higher than square."""
    short = min(photo.width, photo.height)
    zoom = float(np.exp(rng.uniform(np.log(min(_MIN_CROP_PX, short)), np.log(short))))
    stretch = float(np.exp(rng.uniform(-0.2, 0.2)))
    width, height = min(round(zoom * stretch), photo.width), min(round(zoom / stretch), photo.height)
    left, top = int(rng.integers(photo.width - width + 1)), int(rng.integers(photo.height - height + 1))
    return left, top, left + width, top + height


def _surface(library: Library, rng: Rng, side: int) -> Image.Image:
    """A surface seen from above: a table, a floor, a wall."""
    texture = library.textures[int(rng.integers(len(library.textures)))]
    crop = library.background(texture).resize((side, side), Image.Resampling.BICUBIC, _window(texture, rng), 2.0)
    turns = [None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]
    turn = turns[int(rng.integers(4))]
    return crop if turn is None else crop.transpose(turn)


def _room(library: Library, rng: Rng, side: int, horizon: float) -> Image.Image:
    """A wall, or a photograph far away, above a floor that narrows towards it."""
    edge = round(side * horizon)
    wall = _photograph(library, rng, side)[0] if rng.random() < 0.4 else _surface(library, rng, side)
    floor = _tiled(_surface(library, rng, side), int(rng.integers(1, 4)))
    reach = side * rng.uniform(0.5, 2.5)
    corners = [(-reach, side + 1), (-0.1 * side, edge), (1.1 * side, edge), (side + reach, side + 1)]
    ground = perspective(floor, [corners[1], corners[2], corners[3], corners[0]], (side, side))
    image = wall.copy()
    image.paste(ground.crop((0, edge, side, side)), (0, edge))
    return image


def _tiled(image: Image.Image, times: int) -> Image.Image:
    small = image.resize((image.width // times, image.height // times), Image.Resampling.BOX)
    tiled = Image.new("RGB", (small.width * times, small.height * times))
    for column in range(times):
        for row in range(times):
            tiled.paste(small, (column * small.width, row * small.height))
    return tiled


def _recoloured(image: Image.Image, rng: Rng) -> Image.Image:
    """In another light, so that the same photograph is not known by its colours."""
    pixels = np.asarray(image, dtype=np.float32) / np.float32(255)
    pixels = pixels ** np.float32(np.exp(rng.normal(0, 0.25)))
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * np.float32(rng.uniform(0.3, 1.2))
    pixels = pixels * (rng.uniform(0.85, 1.25) * (1 + rng.normal(0, 0.06, 3))).astype(np.float32)
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8), "RGB")
