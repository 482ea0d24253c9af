"""A scene: things placed before a background so that each is seen well enough, with shadows, photographed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy.ndimage import find_objects

from studies.base.scenes.backgrounds import draw_background
from studies.base.scenes.camera import photograph
from studies.base.scenes.kinds import clutter, kind
from studies.base.scenes.layout import Wish, plan
from studies.base.scenes.sprite import Light, Sprite, draw_sprite

Rng = np.random.Generator

# As in tasks/sample_scenes/scenes.py: with less in sight a thing may be anything.
MIN_VISIBLE = 0.4
_TRIES = 6


@dataclass(frozen=True)
class Scene:
    """A photograph and what is in it.

    Attributes:
        jpeg: the file.
        boxes: `[xmin, ymin, xmax, ymax]` in pixels, tight around what is seen of each thing.
        things: family and number of each.
    """

    jpeg: bytes
    boxes: list[tuple[int, int, int, int]]
    things: list[tuple[str, int]]


@dataclass
class _Canvas:
    """The picture so far, and which object each pixel belongs to (0: none)."""

    image: Image.Image
    owner: npt.NDArray[np.int32]
    light: Light
    areas: list[int]
    seen: list[int]
    things: list[tuple[str, int]]


def draw_scene(seed: int, number: int, *, side: int, kinds_per_family: int) -> Scene:
    """Scene `number` of `seed`, `side` pixels square: always the same, whatever else is drawn."""
    rng = np.random.default_rng((seed, number))
    layout = plan(rng, kinds_per_family)
    background = (np.clip(draw_background(rng, side), 0, 1) * 255).astype(np.uint8)
    light = _light(rng)
    canvas = _Canvas(Image.fromarray(background, "RGB"), np.zeros((side, side), np.int32), light, [], [], [])
    blur = side * rng.uniform(0.004, 0.012) if rng.random() < 0.25 else 0.0
    softness, reach = rng.uniform(0.01, 0.08), rng.uniform(0.02, 0.22)
    darkness = float(rng.choice([0.0, rng.uniform(0.2, 0.75)], p=[0.2, 0.8]))
    focus, last = rng.uniform(0, 1), max(len(layout.wishes) - 1, 1)
    for i, wish in enumerate(layout.wishes):
        away = abs(i / last - focus)
        what = clutter(rng) if wish.family is None else kind(wish.family, wish.number)
        sprite = draw_sprite(what, rng, wish.size * side, light, blur_px=min(blur * 2 * away, wish.size * side * 0.04))
        corner = _find_corner(canvas, sprite, wish, rng)
        if corner is not None:
            _shadow(canvas, sprite, corner, darkness, softness, reach)
            canvas.image.paste(sprite.image, corner, sprite.image)
            _claim(canvas, sprite, corner, wish)
    boxes = [_corners(where) for where in find_objects(canvas.owner, max_label=len(canvas.things))]
    return Scene(photograph(canvas.image, rng), boxes, canvas.things)


def _light(rng: Rng) -> Light:
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 1.0)
    flat = np.sqrt(1 - height**2)
    # Mostly from above, as the sun and lamps are.
    direction = np.array(
        [flat * np.cos(angle), -abs(flat * np.sin(angle)) if rng.random() < 0.8 else flat * np.sin(angle), height]
    )
    ambient = rng.uniform(0.25, 0.8)
    colour = (1 + rng.normal(0, 0.05, 3)) * rng.uniform(0.85, 1.25)
    return Light(direction.astype(np.float32), float(ambient), colour.astype(np.float32))


def _find_corner(canvas: _Canvas, sprite: Sprite, wish: Wish, rng: Rng) -> tuple[int, int] | None:
    """A corner for `sprite` where it shows enough of itself and leaves enough of the others; None: there is none."""
    side, (height, width) = canvas.image.width, sprite.solid.shape
    total = max(int(sprite.solid.sum()), 1)
    for attempt in range(_TRIES):
        if wish.place is None:
            centre = rng.uniform(0.0, 1.0, 2) * side
        else:
            centre = (np.array(wish.place) + rng.normal(0, 1, 2) * wish.loose * (attempt > 0)) * side
        x, y = round(centre[0] - width / 2), round(centre[1] - height / 2)
        below, solid = _under(canvas, sprite, x, y)
        if solid.sum() < (MIN_VISIBLE + 0.1) * total:
            continue
        hidden = np.bincount(below[solid], minlength=len(canvas.things) + 1)[1:]
        left = np.array(canvas.seen) - hidden
        if (left >= MIN_VISIBLE * np.array(canvas.areas)).all():
            return x, y
    return None


def _under(canvas: _Canvas, sprite: Sprite, x: int, y: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """The owners below a sprite at `(x, y)`, a view; and where the sprite is solid there."""
    side, (height, width) = canvas.image.width, sprite.solid.shape
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, side), min(y + height, side)
    below = canvas.owner[top : max(bottom, top), left : max(right, left)]
    return below, sprite.solid[top - y : top - y + below.shape[0], left - x : left - x + below.shape[1]]


def _claim(canvas: _Canvas, sprite: Sprite, corner: tuple[int, int], wish: Wish) -> None:
    below, solid = _under(canvas, sprite, *corner)
    hidden = np.bincount(below[solid], minlength=len(canvas.things) + 1)[1:]
    canvas.seen = [seen - int(less) for seen, less in zip(canvas.seen, hidden, strict=True)]
    if wish.family is None:
        below[solid] = 0
        return
    canvas.things.append((wish.family, wish.number))
    canvas.areas.append(int(sprite.solid.sum()))
    canvas.seen.append(int(solid.sum()))
    below[solid] = len(canvas.things)


def _shadow(
    canvas: _Canvas, sprite: Sprite, corner: tuple[int, int], darkness: float, softness: float, reach: float
) -> None:
    """The sprite's shadow: away from the light, the farther and softer the larger the thing is."""
    if not darkness:
        return
    size = max(sprite.image.size)
    margin = int(size * softness * 2) + 2
    across, down = (-canvas.light.direction[:2] * reach * size).tolist()
    shape = (sprite.image.width + 2 * margin, sprite.image.height + 2 * margin)
    shadow = Image.new("L", shape)
    shadow.paste(sprite.image.getchannel("A").point(lambda alpha: int(alpha * darkness)), (margin, margin))
    shadow = shadow.filter(ImageFilter.BoxBlur(size * softness))
    place = (round(corner[0] - margin + across), round(corner[1] - margin + down))
    canvas.image.paste((8, 8, 12), (*place, place[0] + shape[0], place[1] + shape[1]), shadow)


def _corners(where: tuple[slice, slice]) -> tuple[int, int, int, int]:
    rows, columns = where
    return columns.start, rows.start, columns.stop, rows.stop
