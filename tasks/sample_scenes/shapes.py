"""The things in drawn scenes: keys, leaves and mugs, which are objects, and clutter, which is not.

A thing is drawn in its own coordinates (x right, y down, about -1..1) by a `Pen` that turns and stretches it.
A colour is RGB in 0..255; `pick_colour` and `shaded` make them.
"""

import colorsys
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Points = npt.NDArray[np.float64]
Rgb = tuple[int, int, int]

OVERSAMPLING = 2


class Pen:
    """Draws polygons given in a thing's own coordinates; a fill of None makes a hole."""

    def __init__(self, length: float, angle: float, stretch: tuple[float, float]) -> None:
        self.scale = length / 2 * OVERSAMPLING
        side = int(length * 1.6) * OVERSAMPLING + 16
        self.image = Image.new("RGBA", (side, side))
        self.draw = ImageDraw.Draw(self.image)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        self.matrix = np.diag(stretch) @ turn * self.scale

    def polygon(self, points: Points | Sequence[tuple[float, float]], fill: Rgb | None, edge: float = 0.0) -> None:
        """`points`: `(N, 2)`; `edge`: width of a darker outline, in the thing's own units."""
        pixels = [tuple(row) for row in (np.asarray(points) @ self.matrix + self.image.width / 2).tolist()]
        outline = None if fill is None or not edge else shaded(fill, 0.62)
        self.draw.polygon(pixels, fill=fill or (0, 0, 0, 0), outline=outline, width=max(1, round(edge * self.scale)))

    def line(self, points: Points | Sequence[tuple[float, float]], fill: Rgb, thickness: float) -> None:
        """A polyline `thickness` wide, in the thing's own units."""
        pixels = [tuple(row) for row in (np.asarray(points) @ self.matrix + self.image.width / 2).tolist()]
        self.draw.line(pixels, fill=fill, width=max(1, round(thickness * self.scale)), joint="curve")


def _mug(pen: Pen, rng: np.random.Generator) -> None:
    """A mug from slightly above: handle, round wall with bands or dots, rim, and something to drink."""
    body = pick_colour(rng, (0.0, 1.0), (0.05, 0.75), (0.45, 0.97))
    width, taper, flat = rng.uniform(0.5, 0.66), rng.uniform(0.72, 1.0), rng.uniform(0.16, 0.32)
    handle = _ellipse(width * 0.97, 0.02, rng.uniform(0.32, 0.42), 0.45)
    pen.polygon(handle, shaded(body, 0.85), 0.02)
    pen.polygon(_ellipse(width * 0.97, 0.02, 0.22, 0.3), None)

    def wall(colour: Rgb, top: float, bottom: float, left: float = -1.0, right: float = 1.0) -> None:
        across = np.linspace(left, right, 25)
        bulge = flat * np.sqrt(1 - across**2)
        rows = []
        for part in (top, bottom):
            half = width * (1 + (taper - 1) * part)
            rows.append(np.stack([half * across, -0.62 + 1.28 * part + half * bulge], axis=1))
        for i in range(len(across) - 1):
            light = 1.08 - 0.5 * (across[i] + 0.35) ** 2
            pen.polygon([*rows[0][i : i + 2], *rows[1][i : i + 2][::-1]], shaded(colour, light))

    wall(body, 0.0, 1.0)
    accent = pick_colour(rng, (0.0, 1.0), (0.3, 0.9), (0.25, 0.95))
    match int(rng.integers(4)):
        case 0:
            wall(accent, 0.3, rng.uniform(0.5, 0.75))
        case 1:
            wall(accent, 0.15, 0.25)
            wall(accent, 0.75, 0.85)
        case 2:
            for left in (-0.7, -0.2, 0.3):
                wall(accent, 0.35, 0.65, left, left + 0.35)
    rim, drink = shaded(body, 1.12), pick_colour(rng, (0.02, 0.12), (0.3, 0.8), (0.15, 0.6))
    pen.polygon(_ellipse(0, -0.62, width, width * flat), rim, 0.015)
    pen.polygon(_ellipse(0, -0.62, width * 0.9, width * flat * 0.88), shaded(body, 0.55))
    pen.polygon(_ellipse(0, -0.6, width * 0.84, width * flat * 0.74), drink)


def _key(pen: Pen, rng: np.random.Generator) -> None:
    """A key: a bow with a hole, a collar, a shaft with a groove, teeth."""
    hue, saturation = [(0.12, 0.65), (0.6, 0.08), (0.07, 0.6), (rng.uniform(), 0.6)][int(rng.integers(4))]
    metal = pick_colour(rng, (hue, hue), (saturation, saturation), (0.6, 0.95))
    thick = rng.uniform(0.075, 0.11)
    for x in np.linspace(0.5, 0.84, int(rng.integers(2, 5))):
        depth = rng.uniform(0.2, 0.36)
        pen.polygon([(x - 0.055, 0), (x + 0.055, 0), (x + 0.055, depth), (x - 0.055, depth)], metal, 0.018)
    pen.polygon([(-0.4, -thick), (0.9, -thick), (0.98, 0), (0.9, thick), (-0.4, thick)], metal, 0.018)
    pen.line([(-0.2, thick * 0.3), (0.86, thick * 0.3)], shaded(metal, 0.7), 0.03)
    pen.polygon([(-0.3, -0.15), (-0.2, -0.15), (-0.2, 0.15), (-0.3, 0.15)], shaded(metal, 1.1), 0.018)
    tall = rng.uniform(0.32, 0.44)
    corners = int(rng.choice([4, 6, 8, 40, 40]))
    bow = _ellipse(-0.62, 0, 0.38, tall, corners)
    pen.polygon(bow, metal, 0.02)
    pen.polygon(_ellipse(-0.62, 0, 0.3, tall * 0.8, corners), shaded(metal, 1.15), 0.012)
    hole = rng.uniform(0.1, 0.22)
    pen.polygon(_ellipse(-0.62 - (0.22 - hole) * 0.8, 0, hole + 0.03, hole + 0.03), shaded(metal, 0.6))
    pen.polygon(_ellipse(-0.62 - (0.22 - hole) * 0.8, 0, hole, hole), None)


def _leaf(pen: Pen, rng: np.random.Generator) -> None:
    """A leaf: two halves of different shade, smooth, toothed or lobed, with stalk, midrib and veins."""
    green = rng.uniform() < 0.6
    light = pick_colour(rng, (0.2, 0.4) if green else (0.0, 0.14), (0.45, 0.9), (0.4, 0.85))
    vein, bend = shaded(light, 1.45), rng.normal(0.0, 0.15)
    along = np.linspace(0.0, 1.0, 97)
    half = rng.uniform(0.3, 0.52) * np.sin(np.pi * along ** rng.uniform(0.65, 1.05))
    match int(rng.integers(3)):
        case 0:
            half = half * (1 + 0.14 * ((along * 16) % 1.0))
        case 1:
            half = half * (1 + 0.24 * np.cos(2 * np.pi * along * int(rng.integers(3, 6))))
    middle = np.stack([along * 1.7 - 0.75, bend * (1 - (2 * along - 1) ** 2)], axis=1)
    pen.line([(-1.0, -bend * 0.6), tuple(middle[0]), tuple(middle[4])], shaded(light, 0.7), 0.05)
    for side, shade in ((-1, 1.0), (1, 0.8)):
        edge = middle + np.stack([np.zeros_like(half), side * half], axis=1)
        pen.polygon(np.concatenate([middle, edge[::-1]]), shaded(light, shade), 0.014)
        for i in range(8, 80, int(rng.integers(9, 14))):
            tip = middle[i + 12] + [0.03, side * 0.82 * half[i + 12]]
            pen.line([tuple(middle[i]), tuple(tip)], vein, 0.018)
    pen.line(middle, vein, 0.035)


def _pencil(pen: Pen, rng: np.random.Generator) -> None:
    paint = pick_colour(rng, (0.0, 1.0), (0.4, 0.9), (0.4, 0.95))
    for shade, top, bottom in ((1.1, -0.09, -0.03), (0.95, -0.03, 0.03), (0.75, 0.03, 0.09)):
        pen.polygon([(-0.8, top), (0.7, top), (0.7, bottom), (-0.8, bottom)], shaded(paint, shade))
    pen.polygon([(0.7, -0.09), (0.98, 0), (0.7, 0.09)], (226, 190, 140))
    pen.polygon([(0.9, -0.026), (0.98, 0), (0.9, 0.026)], shaded(paint, 0.4))
    pen.polygon([(-0.95, -0.09), (-0.8, -0.09), (-0.8, 0.09), (-0.95, 0.09)], (222, 140, 140), 0.01)


def _note(pen: Pen, rng: np.random.Generator) -> None:
    paper = pick_colour(rng, (0.1, 0.6), (0.03, 0.4), (0.85, 0.98))
    tall = rng.uniform(0.5, 0.8)
    pen.polygon([(-0.65, -tall), (0.65, -tall), (0.65, tall), (-0.65, tall)], paper, 0.008)
    for y in np.arange(-tall + 0.2, tall - 0.1, 0.17):
        pen.line([(-0.5, y), (rng.uniform(0.0, 0.5), y)], shaded(paper, 0.6), 0.025)


def _pebble(pen: Pen, rng: np.random.Generator) -> None:
    stone = pick_colour(rng, (0.05, 0.6), (0.0, 0.15), (0.4, 0.8))
    phase = rng.uniform(0, 2 * np.pi, 3)
    around = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = 0.75 + sum(0.09 / k * np.cos(k * around + phase[k - 1]) for k in (1, 2, 3))
    for part, shade in ((1.0, 0.82), (0.85, 0.94), (0.62, 1.03)):
        pen.polygon(
            part * radius[:, None] * np.stack([np.cos(around), np.sin(around) * 0.8], axis=1), shaded(stone, shade)
        )
    for x, y in rng.uniform(-0.45, 0.45, (14, 2)):
        pen.polygon(_ellipse(x, y, 0.025, 0.025, 8), shaded(stone, 0.7))


def _button(pen: Pen, rng: np.random.Generator) -> None:
    colour = pick_colour(rng, (0.0, 1.0), (0.2, 0.8), (0.4, 0.9))
    pen.polygon(_ellipse(0, 0, 0.7, 0.7), colour, 0.03)
    pen.polygon(_ellipse(0, 0, 0.5, 0.5), shaded(colour, 0.85), 0.03)
    for x, y in ((-0.14, -0.14), (0.14, -0.14), (-0.14, 0.14), (0.14, 0.14)):
        pen.polygon(_ellipse(x, y, 0.08, 0.08, 16), None)


def _star(pen: Pen, rng: np.random.Generator) -> None:
    n = int(rng.integers(5, 8)) * 2
    around = np.arange(n) * 2 * np.pi / n
    radius = np.where(np.arange(n) % 2, rng.uniform(0.35, 0.5), 0.85)[:, None]
    points = radius * np.stack([np.cos(around), np.sin(around)], axis=1)
    colour = pick_colour(rng, (0.0, 1.0), (0.5, 0.9), (0.6, 0.98))
    pen.polygon(points, shaded(colour, 0.75))
    pen.polygon(points * 0.86, colour)


def _ellipse(x: float, y: float, across: float, down: float, corners: int = 48) -> Points:
    """`(corners, 2)` around `(x, y)` with radii `across` and `down`."""
    around = (np.arange(corners) + 0.5) * 2 * np.pi / corners
    return np.stack([x + across * np.cos(around), y + down * np.sin(around)], axis=1)


def pick_colour(
    rng: np.random.Generator, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]
) -> Rgb:
    """A colour between the limits, each 0..1; hues wrap around."""
    h, s, v = rng.uniform(*hue) % 1.0, rng.uniform(*saturation), min(rng.uniform(*value), 1.0)
    red, green, blue = colorsys.hsv_to_rgb(h, s, v)
    return int(red * 255), int(green * 255), int(blue * 255)


def shaded(colour: Rgb, factor: float) -> Rgb:
    """`colour` darker (`factor` below 1) or lighter."""
    red, green, blue = (min(int(channel * factor), 255) for channel in colour)
    return red, green, blue


SHAPES: dict[str, Callable[[Pen, np.random.Generator], None]] = {"key": _key, "leaf": _leaf, "mug": _mug}
CLUTTER = (_pencil, _note, _pebble, _button, _star)
KINDS = tuple(SHAPES)
