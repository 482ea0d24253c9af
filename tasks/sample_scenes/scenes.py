"""Drawn scenes with known boxes: keys, leaves and mugs among other things on a table.

A thing is drawn as a sprite in its own coordinates (x right, y down, about -1..1), larger than needed, and reduced:
that is the antialiasing. Everything random comes from the generator passed in, so that a seed gives one picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from tasks.sample_scenes.shapes import CLUTTER, KINDS, OVERSAMPLING, SHAPES, Pen, pick_colour

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

MIN_VISIBLE = 0.4
PLACING_TRIES = 12


@dataclass(frozen=True)
class Scene:
    """A picture and what can be seen in it.

    Attributes:
        image: RGB.
        boxes: `[xmin, ymin, xmax, ymax]` in pixels, tight around the visible part of each object.
        classes: the objects' kinds, one of `KINDS` each.
    """

    image: Image.Image
    boxes: list[tuple[int, int, int, int]]
    classes: list[str]


@dataclass
class _Placed:
    sprite: Image.Image
    corner: tuple[int, int]
    kind: str | None
    area: int
    visible: Mask


def draw_scene(rng: np.random.Generator, *, width: int, height: int) -> Scene:
    """A scene of one to five objects, each of which shows at least `MIN_VISIBLE` of itself; the rest is clutter."""
    n_objects = int(rng.integers(1, 6))
    n_clutter = int(rng.integers(0, 5))
    order = rng.permutation([True] * n_objects + [False] * n_clutter)
    placed: list[_Placed] = []
    for is_object in order:
        kind = str(rng.choice(KINDS)) if is_object else None
        largest = {1: 0.85, 2: 0.72, 3: 0.62}.get(n_objects, 0.54)
        length = min(width, height) * rng.uniform(0.36 if is_object else 0.15, largest if is_object else 0.5)
        draw = SHAPES[kind] if kind else CLUTTER[int(rng.integers(len(CLUTTER)))]
        _place(_sprite(draw, rng, length, upright=kind == "mug"), kind, placed, rng, (width, height))
    image = _background(rng, width, height)
    _compose(image, placed, rng)
    objects = [thing for thing in placed if thing.kind]
    return Scene(
        image=_photograph(image, rng),
        boxes=[_extent(thing.visible) for thing in objects],
        classes=[str(thing.kind) for thing in objects],
    )


def _place(
    sprite: Image.Image, kind: str | None, placed: list[_Placed], rng: np.random.Generator, size: tuple[int, int]
) -> None:
    """Put `sprite` on top where it hides nothing too much; leave it out when no such place is found."""
    solid = np.asarray(sprite.getchannel("A")) >= 128
    for _ in range(PLACING_TRIES):
        centre = rng.uniform(0.06, 0.94, 2) * size
        x, y = (int(centre[0] - sprite.width / 2), int(centre[1] - sprite.height / 2))
        covered = _on_canvas(solid, x, y, size)
        left_visible = [thing.visible & ~covered for thing in placed]
        enough = all(
            after.sum() >= MIN_VISIBLE * thing.area
            for after, thing in zip(left_visible, placed, strict=True)
            if thing.kind
        )
        if enough and covered.sum() >= 0.6 * solid.sum():
            for thing, after in zip(placed, left_visible, strict=True):
                thing.visible = after
            placed.append(_Placed(sprite, (x, y), kind, int(solid.sum()), covered))
            return


def _on_canvas(solid: Mask, x: int, y: int, size: tuple[int, int]) -> Mask:
    width, height = size
    canvas = np.zeros((height, width), dtype=bool)
    top, left = max(y, 0), max(x, 0)
    part = solid[top - y : max(height - y, 0), left - x : max(width - x, 0)]
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas


def _extent(mask: Mask) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _sprite(
    draw: Callable[[Pen, np.random.Generator], None], rng: np.random.Generator, length: float, *, upright: bool
) -> Image.Image:
    """One thing, RGBA, cropped to itself: turned, stretched, and lit from one side."""
    angle = rng.normal(0.0, 0.3) if upright else rng.uniform(0.0, 2 * np.pi)
    mirrored = rng.choice([-1.0, 1.0])
    pen = Pen(length, angle, (mirrored * rng.uniform(0.88, 1.0), rng.uniform(0.82, 1.0)))
    draw(pen, rng)
    sprite = pen.image.reduce(OVERSAMPLING)
    sprite = sprite.crop(sprite.getbbox())
    ramp = _ramp(sprite.width, sprite.height, rng.uniform(0, 2 * np.pi)) - 0.5
    pixels = np.asarray(sprite).astype(np.float32)
    pixels[..., :3] *= (1.0 + rng.uniform(0.1, 0.5) * ramp)[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")


def _compose(image: Image.Image, placed: list[_Placed], rng: np.random.Generator) -> None:
    """Paste the things onto `image`, lowest first, each with a soft shadow; all shadows fall the same way."""
    fall = rng.uniform(-7, 7, 2)
    softness, darkness = rng.uniform(2, 6), rng.uniform(0.2, 0.6)
    for thing in placed:
        margin = 20
        shadow = Image.new("L", (thing.sprite.width + 2 * margin, thing.sprite.height + 2 * margin))
        shadow.paste(thing.sprite.getchannel("A").point(lambda alpha: int(alpha * darkness)), (margin, margin))
        shadow = shadow.filter(ImageFilter.GaussianBlur(softness))
        corner = (int(thing.corner[0] - margin + fall[0]), int(thing.corner[1] - margin + fall[1]))
        image.paste((12, 10, 16), (*corner, corner[0] + shadow.width, corner[1] + shadow.height), shadow)
        image.paste(thing.sprite, thing.corner, thing.sprite)


def _background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A table: plain, wooden, woven, tiled or mottled, between two related colours."""
    hue, value = rng.uniform(), rng.uniform(0.4, 0.92)
    first = pick_colour(rng, (hue, hue), (0.04, 0.4), (value, value))
    second = pick_colour(rng, (hue - 0.04, hue + 0.04), (0.04, 0.45), (value * 0.72, value))
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    noise = _smooth_noise(rng, width, height, cell=(90, 70))
    match int(rng.integers(5)):
        case 0:
            field = 0.8 * _ramp(width, height, rng.uniform(0, 2 * np.pi)) + 0.2 * noise
        case 1:
            first = pick_colour(rng, (0.05, 0.1), (0.3, 0.6), (0.65, 0.85))
            second = pick_colour(rng, (0.05, 0.1), (0.3, 0.6), (0.35, 0.55))
            grain = _smooth_noise(rng, width, height, cell=(160, 5))
            gap = (y + rng.integers(90)) % rng.integers(70, 120) < 2
            field = 0.5 * grain + 0.3 * noise + 0.9 * gap
        case 2:
            period = rng.uniform(5, 9) / (2 * np.pi)
            weave = np.sin(x / period) * np.sin(y / period)
            checks = (x // rng.integers(24, 60)) % 2 + (y // rng.integers(24, 60)) % 2
            field = 0.2 * weave + 0.25 * checks + 0.3 * noise
        case 3:
            side = int(rng.integers(60, 130))
            field = 0.4 * noise + 0.6 * (((x + side // 3) % side < 3) | ((y + side // 2) % side < 3))
        case _:
            field = 0.7 * noise + 0.3 * _smooth_noise(rng, width, height, cell=(9, 9))
    mix = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
    return Image.composite(Image.new("RGB", mix.size, second), Image.new("RGB", mix.size, first), mix)


def _photograph(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The scene as a camera sees it: light from one side, a tint, gamma, sometimes blur, always some noise."""
    if rng.uniform() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3)))
    tint, gamma = rng.uniform(0.94, 1.06, 3), rng.uniform(0.8, 1.25)
    curves = 255 * np.linspace(0, 1, 256) ** gamma * tint[:, None]
    image = image.point(np.clip(curves, 0, 255).astype(int).ravel().tolist())
    pixels = np.asarray(image).astype(np.float32)
    light = 1.12 - rng.uniform(0.05, 0.5) * _ramp(image.width, image.height, rng.uniform(0, 2 * np.pi))
    pixels *= light[..., None]
    grain = rng.standard_normal((image.height, image.width, 1), dtype=np.float32)
    pixels += grain * np.float32(rng.uniform(1.0, 8.0))
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8), "RGB")


def _ramp(width: int, height: int, angle: float) -> Floats:
    """`(height, width)` from 0 to 1 in the direction of `angle`."""
    x, y = np.linspace(-0.5, 0.5, width, dtype=np.float32), np.linspace(-0.5, 0.5, height, dtype=np.float32)
    across, down = float(np.cos(angle)), float(np.sin(angle))
    return np.asarray((across * x[None, :] + down * y[:, None]) / (abs(across) + abs(down)) + 0.5)


def _smooth_noise(rng: np.random.Generator, width: int, height: int, cell: tuple[int, int]) -> Floats:
    """`(height, width)` in 0..1, changing over about `cell` = (across, down) pixels."""
    coarse = rng.random((height // cell[1] + 2, width // cell[0] + 2), dtype=np.float32)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(np.clip(np.asarray(smooth), 0, 1))
