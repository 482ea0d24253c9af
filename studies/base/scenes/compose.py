"""A scene: things pasted before a backdrop so that each is seen well enough, with shadows, photographed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import find_objects

from studies.base.library import Library
from studies.base.scenes.backgrounds import Box, draw_backdrop
from studies.base.scenes.camera import photograph
from studies.base.scenes.layout import SMALLEST, Layout, Wish, plan
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
        labels: the class of each.
    """

    jpeg: bytes
    boxes: list[tuple[int, int, int, int]]
    labels: list[str]


@dataclass
class Canvas:
    """The picture so far, and which thing each pixel belongs to (0: none)."""

    image: Image.Image
    owner: npt.NDArray[np.int32]
    areas: list[int]
    seen: list[int]
    labels: list[str]


@dataclass(frozen=True)
class _Shadow:
    """How things darken what they stand before; lengths are shares of the thing's longer side."""

    darkness: float
    softness: float
    offset: tuple[float, float]
    below: bool


def draw_scene(library: Library, seed: int, number: int, *, side: int, photo_share: float) -> Scene:
    """Scene `number` of `seed`, `side` pixels square: always the same, whatever else is drawn."""
    rng = np.random.default_rng((seed, number))
    backdrop = draw_backdrop(library, rng, side, photo_share=photo_share)
    layout = plan(rng, library, backdrop.horizon)
    canvas = Canvas(backdrop.image.copy(), np.zeros((side, side), np.int32), [], [], [])
    for label, box in backdrop.found:
        _claim_box(canvas, label, box)
    _paste_all(canvas, layout, library, rng)
    boxes = [_corners(where) for where in find_objects(canvas.owner, max_label=len(canvas.labels))]
    return Scene(photograph(canvas.image, rng), boxes, canvas.labels)


def _paste_all(canvas: Canvas, layout: Layout, library: Library, rng: Rng) -> None:
    side = canvas.image.width
    light = _light(canvas.image, library, rng)
    shadow = _shadow(rng, light, standing=layout.name in ("floor", "rows"))
    depth_of_field = side * rng.uniform(0.003, 0.01) if rng.random() < 0.25 else 0.0
    focus, last = rng.uniform(0, 1), max(len(layout.wishes) - 1, 1)
    for i, wish in enumerate(layout.wishes):
        length, blur = wish.size * side, depth_of_field * 2 * abs(i / last - focus)
        thing = _scrap(library, rng) if wish.number is None else library.cut_out(wish.number)
        sprite = draw_sprite(thing, rng, length, tilt=wish.tilt, light=light, blur=min(blur, length * 0.04))
        corner = find_corner(canvas, sprite, wish, rng)
        if corner is not None:
            _cast(canvas, sprite, corner, shadow)
            canvas.image.paste(sprite.image, corner, sprite.image)
            claim(canvas, sprite, corner, None if wish.number is None else library.cut_outs[wish.number].label)


def _light(image: Image.Image, library: Library, rng: Rng) -> Light:
    """From one side, mostly from above; its colour and strength partly those of the backdrop."""
    angle, flat = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.0)
    down = -abs(np.sin(angle)) if rng.random() < 0.8 else np.sin(angle)
    around = np.asarray(image.resize((1, 1), Image.Resampling.BOX), dtype=np.float32)[0, 0]
    likeness = np.float32(rng.uniform(0.0, 0.45))
    brightness = (max(float(around.mean()), 12.0) / 115) ** likeness
    cast = (np.maximum(around, 12) / max(float(around.mean()), 12.0)) ** (likeness * np.float32(0.5))
    tint = np.clip(brightness * cast * rng.uniform(0.85, 1.15), 0.4, 1.5).astype(np.float32)
    grain = library.grain(rng, image.width)
    return Light((float(flat * np.cos(angle)), float(flat * down)), float(rng.uniform(0, 0.8)), tint, grain)


def _shadow(rng: Rng, light: Light, *, standing: bool) -> _Shadow:
    darkness = 0.0 if rng.random() < 0.2 else float(rng.uniform(0.2, 0.75))
    reach = float(rng.uniform(0.02, 0.2))
    offset = (-light.direction[0] * reach, -light.direction[1] * reach)
    return _Shadow(darkness, float(rng.uniform(0.01, 0.08)), offset, standing and rng.random() < 0.75)


def _scrap(library: Library, rng: Rng) -> Image.Image:
    """A piece of another picture with a smooth outline of three to eight corners."""
    kinds = library.photos if rng.random() < 0.6 else library.textures
    source = library.background(kinds[int(rng.integers(len(kinds)))])
    zoom = int(min(source.size) * rng.uniform(0.1, 0.5))
    left, top = int(rng.integers(source.width - zoom + 1)), int(rng.integers(source.height - zoom + 1))
    piece = source.resize((128, 128), Image.Resampling.BILINEAR, (left, top, left + zoom, top + zoom), 2.0).convert(
        "RGBA"
    )
    mask = Image.new("L", piece.size)
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
    radii = 62 * rng.uniform(0.5, 1.0, len(angles))
    points = [(64 + float(r * np.cos(a)), 64 + float(r * np.sin(a))) for r, a in zip(radii, angles, strict=True)]
    ImageDraw.Draw(mask).polygon(points, fill=255)
    smooth = mask.filter(ImageFilter.BoxBlur(int(rng.integers(1, 9)))).point(
        lambda value: min(max(4 * value - 384, 0), 255)
    )
    piece.putalpha(smooth)
    return piece


def find_corner(canvas: Canvas, sprite: Sprite, wish: Wish, rng: Rng) -> tuple[int, int] | None:
    """A corner for `sprite` where it shows enough of itself and leaves enough of the others; None: there is none."""
    side, (height, width) = canvas.image.width, sprite.solid.shape
    total = int(sprite.solid.sum())
    if not total:
        return None
    for attempt in range(_TRIES):
        if wish.place is None:
            centre = rng.uniform(0.0, 1.0, 2) * side
        else:
            centre = (np.array(wish.place) + rng.normal(0, 1, 2) * wish.loose * (attempt > 0)) * side
        x, y = round(centre[0] - width / 2), round(centre[1] - height / 2)
        below, solid = _under(canvas, sprite, x, y)
        if solid.sum() < (MIN_VISIBLE + 0.1) * total:
            continue
        hidden = np.bincount(below[solid], minlength=len(canvas.labels) + 1)[1:]
        if (np.array(canvas.seen) - hidden >= MIN_VISIBLE * np.array(canvas.areas)).all():
            return x, y
    return None


def _under(canvas: Canvas, sprite: Sprite, x: int, y: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """The owners below a sprite at `(x, y)`, a view; and where the sprite is solid there."""
    side, (height, width) = canvas.image.width, sprite.solid.shape
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, side), min(y + height, side)
    below = canvas.owner[top : max(bottom, top), left : max(right, left)]
    return below, sprite.solid[top - y : top - y + below.shape[0], left - x : left - x + below.shape[1]]


def claim(canvas: Canvas, sprite: Sprite, corner: tuple[int, int], label: str | None) -> None:
    """Give the pixels of `sprite` to it; without a label to nobody."""
    below, solid = _under(canvas, sprite, *corner)
    _take(canvas, below, solid, label, int(sprite.solid.sum()))


def _claim_box(canvas: Canvas, label: str, box: Box) -> None:
    left, top, right, bottom = (round(edge) for edge in box)
    if max(right - left, bottom - top) >= SMALLEST * canvas.image.width and min(right - left, bottom - top) >= 2:
        below = canvas.owner[top:bottom, left:right]
        _take(canvas, below, np.ones(below.shape, dtype=bool), label, below.size)
        # A thing found before another may be hidden by it altogether.
        if min(canvas.seen) < MIN_VISIBLE * min(canvas.areas):
            _drop_hidden(canvas)


def _take(
    canvas: Canvas, below: npt.NDArray[np.int32], solid: npt.NDArray[np.bool_], label: str | None, area: int
) -> None:
    hidden = np.bincount(below[solid], minlength=len(canvas.labels) + 1)[1:]
    canvas.seen = [seen - int(less) for seen, less in zip(canvas.seen, hidden, strict=True)]
    if label is not None:
        canvas.labels.append(label)
        canvas.areas.append(area)
        canvas.seen.append(int(solid.sum()))
    below[solid] = len(canvas.labels) if label is not None else 0


def _drop_hidden(canvas: Canvas) -> None:
    """Things of which too little is seen are no longer things."""
    kept = [
        i for i, (seen, area) in enumerate(zip(canvas.seen, canvas.areas, strict=True)) if seen >= MIN_VISIBLE * area
    ]
    number = np.zeros(len(canvas.labels) + 1, np.int32)
    number[[i + 1 for i in kept]] = np.arange(1, len(kept) + 1)
    canvas.owner[:] = number[canvas.owner]
    canvas.labels = [canvas.labels[i] for i in kept]
    canvas.areas = [canvas.areas[i] for i in kept]
    canvas.seen = [canvas.seen[i] for i in kept]


def _cast(canvas: Canvas, sprite: Sprite, corner: tuple[int, int], shadow: _Shadow) -> None:
    """The sprite's shadow: away from the light, or, of what stands, flat below it."""
    if not shadow.darkness:
        return
    width, height = sprite.image.size
    size = max(width, height)
    margin = int(size * shadow.softness * 2) + 2
    mask = Image.new("L", (width + 2 * margin, height + 2 * margin))
    alpha = sprite.image.getchannel("A").point(lambda value: int(value * shadow.darkness))
    across, down = shadow.offset
    if shadow.below:
        flat = max(height // 6, 1)
        mask.paste(alpha.resize((width, flat), Image.Resampling.BOX), (margin, margin + height - flat + flat // 3))
        across, down = across / 3, 0.0
    else:
        mask.paste(alpha, (margin, margin))
    mask = mask.filter(ImageFilter.BoxBlur(max(size * shadow.softness, 0.5)))
    place = (round(corner[0] - margin + across * size), round(corner[1] - margin + down * size))
    canvas.image.paste((8, 8, 12), (*place, place[0] + mask.width, place[1] + mask.height), mask)


def _corners(where: tuple[slice, slice]) -> tuple[int, int, int, int]:
    rows, columns = where
    return columns.start, rows.start, columns.stop, rows.stop
