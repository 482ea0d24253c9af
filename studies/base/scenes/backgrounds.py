"""What scenes take place before: `(side, side, 3)` float32 in 0..1."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from studies.base.scenes.colours import any_colour, from_hsv
from studies.base.scenes.outlines import band, blob, harmonics, lens, regular, spot
from studies.base.scenes.tiles import COUNT, NOISES, sample

Field = npt.NDArray[np.float32]
Picture = npt.NDArray[np.float32]
Rng = np.random.Generator


def draw_background(rng: Rng, side: int) -> Picture:
    """One of the kinds below, as sharp or as blurred as a camera leaves what it does not look at."""
    names = list(_MAKERS)
    name = names[int(rng.choice(len(names), p=np.array([weight for _, weight in _MAKERS.values()]) / _TOTAL))]
    picture = _MAKERS[name][0](rng, side)
    if name not in ("flat", "field") and rng.random() < 0.4:
        picture = _blurred(picture, side * rng.uniform(0.004, 0.03))
    return picture


def _axes(side: int) -> tuple[Field, Field]:
    axis = np.linspace(0, 1, side, dtype=np.float32)
    return axis[None, :], axis[:, None]


def _texture(rng: Rng, side: int, tile: int, zoom: float) -> Field:
    """A tile seen straight on, turned, `zoom` periods across."""
    x, y = _axes(side)
    angle, phase = rng.uniform(0, 2 * np.pi), rng.uniform(4, 5, 2)
    u = (np.cos(angle) * x - np.sin(angle) * y) * zoom + phase[0]
    v = (np.sin(angle) * x + np.cos(angle) * y) * zoom + phase[1]
    return sample(tile, u, v, zoom / side)


def _mix(first: npt.ArrayLike, second: npt.ArrayLike, share: Field) -> Picture:
    a, b = np.asarray(first, dtype=np.float32), np.asarray(second, dtype=np.float32)
    return np.asarray(a + share[..., None] * (b - a), dtype=np.float32)


def _mottled(rng: Rng, side: int, strength: float) -> Field:
    noise = _texture(rng, side, int(rng.integers(NOISES)), np.exp(rng.uniform(-1.2, 0.7)))
    return np.asarray(1 + strength * (noise - 0.5), dtype=np.float32)


def _ramp(rng: Rng, side: int) -> Field:
    x, y = _axes(side)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5
    return np.asarray(np.clip(ramp, 0, 1), dtype=np.float32)


def _surface(rng: Rng, side: int) -> Picture:
    """A wall or a table seen straight on: noise or a pattern, mottled."""
    tile = int(rng.integers(NOISES) if rng.random() < 0.5 else rng.integers(NOISES, COUNT))
    first = any_colour(rng)
    second = first * rng.uniform(0.4, 1.3) if rng.random() < 0.6 else any_colour(rng)
    picture = _mix(
        first, second, _texture(rng, side, tile, np.exp(rng.uniform(-1, 1.4))) * np.float32(rng.uniform(0.2, 1))
    )
    return picture * _mottled(rng, side, rng.uniform(0, 0.6))[..., None]


def _flat(rng: Rng, side: int) -> Picture:
    """A studio: one colour, and the light's gradient."""
    colour = np.full(3, rng.uniform(0.75, 1.0)) if rng.random() < 0.4 else any_colour(rng)
    return _mix(colour, np.asarray(colour) * rng.uniform(0.5, 0.95), _ramp(rng, side))


def _field(rng: Rng, side: int) -> Picture:
    """Under a microscope: pale, uneven, with specks."""
    hue = rng.uniform()
    pale = from_hsv(hue, rng.uniform(0, 0.25), rng.uniform(0.75, 1.0))
    other = from_hsv(hue + rng.normal(0, 0.1), rng.uniform(0.05, 0.4), rng.uniform(0.6, 0.95))
    return _mix(pale, other, _texture(rng, side, int(rng.integers(4, NOISES)), rng.uniform(0.3, 1.5)))


def _ground(rng: Rng, side: int, horizon: float) -> Picture:
    """A plane in perspective, for the rows below `horizon`."""
    rows = max(side - int(horizon * side), 1)
    depth = 1 / (np.linspace(0.04, 1, rows, dtype=np.float32)[:, None])
    x = np.linspace(-0.5, 0.5, side, dtype=np.float32)[None, :]
    zoom, shift = rng.uniform(0.3, 1.5), rng.uniform(30, 31, 2)
    angle = rng.uniform(0, np.pi / 2) if rng.random() < 0.4 else 0.0
    across, away = x * depth * zoom, np.broadcast_to(depth * zoom * 0.5, (rows, side))
    u = np.cos(angle) * across - np.sin(angle) * away + shift[0]
    v = np.sin(angle) * across + np.cos(angle) * away + shift[1]
    tile = int(rng.integers(COUNT))
    near = sample(tile, u, v, zoom / side * 1.5)
    far = sample(tile, u, v, zoom / side * 16)
    fade = np.clip((depth - 1.5) / 6, 0, 1)
    share = near * (1 - fade) + (0.5 * far + 0.25) * fade
    first = any_colour(rng)
    return _mix(
        first, first * rng.uniform(0.4, 1.2) if rng.random() < 0.7 else any_colour(rng), share.astype(np.float32)
    )


def _room(rng: Rng, side: int) -> Picture:
    """A wall, perhaps with a window or pictures, and a floor before it."""
    horizon = rng.uniform(0.25, 0.75)
    image = Image.fromarray((np.clip(_surface(rng, side), 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(0, 4))):
        x, y, w, h = rng.uniform(-0.1, 0.9), rng.uniform(0, horizon), rng.uniform(0.08, 0.4), rng.uniform(0.08, 0.5)
        frame, pane = (_bytes(any_colour(rng)) for _ in range(2))
        box = [x * side, (y - h / 2) * side, (x + w) * side, (y + h / 2) * side]
        draw.rectangle(box, fill=pane, outline=frame, width=int(rng.integers(1, 8)))
    picture = np.asarray(image, dtype=np.float32) / np.float32(255)
    ground = _ground(rng, side, horizon)
    picture[-len(ground) :] = ground
    line = side - len(ground)
    picture[max(line - int(rng.integers(0, 9)), 0) : line + 1] *= rng.uniform(0.4, 1.3)
    return picture


def _landscape(rng: Rng, side: int) -> Picture:
    """Sky with clouds, hills, and ground."""
    _, y = _axes(side)
    blue = from_hsv(rng.normal(0.58, 0.04), rng.uniform(0.05, 0.7), rng.uniform(0.5, 1.0))
    pale = 1 - (1 - blue) * rng.uniform(0.2, 0.6)
    sky = _mix(blue, pale, np.broadcast_to(y, (side, side)))
    clouds = _texture(rng, side, int(rng.integers(3, 7)), rng.uniform(0.4, 1.2)) ** 2 * np.float32(rng.uniform(0, 1))
    picture = sky + clouds[..., None] * (1 - sky) * rng.uniform(0.4, 0.95)
    horizon = rng.uniform(0.2, 0.8)
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x = np.linspace(0, side, 24)
    for level in np.linspace(-0.08, 0.02, int(rng.integers(0, 4))):
        ridge = (horizon + level + rng.normal(0, 0.025, 24)) * side
        shade = pale * rng.uniform(0.5, 0.9) * [0.9, 1.0, rng.uniform(0.7, 1)]
        draw.polygon([*zip(x.tolist(), ridge.tolist(), strict=True), (side, side), (0, side)], fill=_bytes(shade))
    picture = np.asarray(image, dtype=np.float32) / np.float32(255)
    ground = _ground(rng, side, horizon)
    picture[-len(ground) :] = ground
    return picture


def _foliage(rng: Rng, side: int) -> Picture:
    """Leaves over leaves, dark ones behind."""
    hue, count = rng.normal(0.27, 0.05), int(rng.integers(90, 220))
    image = Image.new("RGB", (side, side), _bytes(from_hsv(hue, 0.5, 0.1)))
    draw = ImageDraw.Draw(image)
    long, wide, lean = rng.uniform(0.05, 0.22), rng.uniform(0.12, 0.6), rng.uniform(0, 2 * np.pi)
    spread = rng.choice([0.3, 3.0])
    for i in range(count):
        tone = from_hsv(
            hue + rng.normal(0, 0.03), rng.uniform(0.3, 0.9), (0.15 + 0.75 * i / count) * rng.uniform(0.5, 1.1)
        )
        centre, angle = rng.uniform(-0.05, 1.05, 2), lean + rng.normal(0, spread)
        half = long * rng.uniform(0.5, 1.2) * np.array([np.cos(angle), np.sin(angle)])
        leaf = lens(tuple(centre - half), tuple(centre + half), long * wide)
        draw.polygon((leaf * side).ravel().tolist(), fill=_bytes(tone))
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _dead_leaves(rng: Rng, side: int) -> Picture:
    """Patches of all sizes that hide each other: edges as photographs have them (Lee, Mumford and Huang, 2001)."""
    image = Image.new("RGB", (side, side), _bytes(any_colour(rng)))
    draw = ImageDraw.Draw(image)
    colours = [any_colour(rng) for _ in range(int(rng.integers(2, 7)))]
    power, waves = rng.choice([2.0, 4.0, 40.0]), harmonics(rng, 0.35)
    for _ in range(int(rng.integers(60, 220))):
        # Sizes with a density of 1/r^3.
        size = float(np.clip(0.02 / np.sqrt(rng.uniform(0.003, 1)), 0.02, 0.4))
        x, y = rng.uniform(0, 1, 2)
        shape = blob(x, y, size, size, waves) if power == 2 else regular(x, y, size, int(power), rng.uniform(0, 6))
        tone = colours[int(rng.integers(len(colours)))] * rng.uniform(0.5, 1.2)
        draw.polygon((shape * side).ravel().tolist(), fill=_bytes(tone))
    picture = np.asarray(image, dtype=np.float32) / np.float32(255)
    return _blurred(picture * _mottled(rng, side, rng.uniform(0.2, 1.0))[..., None], side * rng.uniform(0.002, 0.02))


def _bokeh(rng: Rng, side: int) -> Picture:
    """Lights far behind, out of focus."""
    picture = _blurred(_surface(rng, side), side * 0.03)
    image = Image.fromarray((np.clip(picture * rng.uniform(0.2, 0.8), 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image, "RGBA")
    radius = rng.uniform(0.015, 0.06)
    for _ in range(int(rng.integers(8, 50))):
        disc = spot(rng.uniform(0, 1, 2), radius * rng.uniform(0.6, 1.3))
        draw.polygon(
            (disc * side).ravel().tolist(), fill=(*_bytes(any_colour(rng) * 0.5 + 0.5), int(rng.integers(40, 150)))
        )
    return _blurred(np.asarray(image, dtype=np.float32) / np.float32(255), side * rng.uniform(0.003, 0.012))


def _built(rng: Rng, side: int) -> Picture:
    """Shelves, facades, fences: a grid of rectangles, some of them lit."""
    picture = _surface(rng, side)
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    across, down, gap = rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.4), rng.uniform(0.1, 0.5)
    tones, slant = [any_colour(rng) for _ in range(3)], rng.normal(0, 0.15)
    for y in np.arange(rng.uniform(-down, 0), 1, down):
        for x in np.arange(rng.uniform(-across, 0) - 0.2, 1.2, across):
            left, right = x, x + across * (1 - gap)
            box = [(left, y + slant * left), (right, y + slant * right), (right, y + down * (1 - gap) + slant * right)]
            box.append((left, y + down * (1 - gap) + slant * left))
            tone = tones[int(rng.integers(3))] * rng.uniform(0.4, 1.1)
            draw.polygon((np.array(box) * side).ravel().tolist(), fill=_bytes(tone))
    return np.asarray(image, dtype=np.float32) / np.float32(255) * _mottled(rng, side, 0.5)[..., None]


def _folds(rng: Rng, side: int) -> Picture:
    """Cloth: a pattern on a surface that light falls on slantwise."""
    height = _texture(rng, side, int(rng.integers(6, NOISES)), rng.uniform(0.5, 1.5))
    down, across = (np.gradient(height * side, axis=axis) for axis in (0, 1))
    shade = np.clip(0.75 + rng.uniform(0.1, 0.5) * (across * rng.normal() + down * rng.normal()), 0.1, 1.3)
    return np.asarray(_surface(rng, side) * shade[..., None], dtype=np.float32)


def _tangle(rng: Rng, side: int) -> Picture:
    """Grass, twigs, wires."""
    image = Image.fromarray((np.clip(_surface(rng, side) * 0.6, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    colour, lean, spread = any_colour(rng), rng.uniform(0, 2 * np.pi), rng.choice([0.15, 0.5, 3.0])
    long, thick = rng.uniform(0.1, 0.7), rng.uniform(0.004, 0.03)
    for _ in range(int(rng.integers(40, 160))):
        angle, start = lean + rng.normal(0, spread), rng.uniform(-0.1, 1.1, 2)
        end = start + long * np.array([np.cos(angle), np.sin(angle)])
        middle = (start + end) / 2 + rng.normal(0, 0.04, 2)
        blade = band([tuple(start), tuple(middle), tuple(end)], [thick, thick * 0.8, thick * 0.2])
        draw.polygon((blade * side).ravel().tolist(), fill=_bytes(colour * rng.uniform(0.3, 1.3)))
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _bytes(colour: npt.ArrayLike) -> tuple[int, int, int]:
    red, green, blue = (np.clip(np.asarray(colour), 0, 1) * 255).astype(int).tolist()
    return red, green, blue


def _blurred(picture: Picture, radius: float) -> Picture:
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / np.float32(255)


_MAKERS: dict[str, tuple[Callable[[Rng, int], Picture], float]] = {
    "surface": (_surface, 3.0),
    "flat": (_flat, 1.2),
    "field": (_field, 1.2),
    "room": (_room, 2.5),
    "landscape": (_landscape, 2.0),
    "foliage": (_foliage, 1.2),
    "dead leaves": (_dead_leaves, 2.0),
    "bokeh": (_bokeh, 0.8),
    "built": (_built, 1.2),
    "folds": (_folds, 1.0),
    "tangle": (_tangle, 1.0),
}
_TOTAL = sum(weight for _, weight in _MAKERS.values())
