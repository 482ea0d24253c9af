"""Closed outlines, `(N, 2)` points in a thing's own coordinates: x right, y down, about -1..1."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Rng = np.random.Generator
Spot = tuple[float, float]


@dataclass(frozen=True)
class Outline:
    """A polygon filled with one of a thing's materials; later outlines lie on earlier ones.

    Attributes:
        points: its corners.
        slot: the number of the material; `HOLE` is transparent.
    """

    points: Points
    slot: int


MAIN, SECOND, ACCENT, DARK, HOLE = 0, 1, 2, 3, -1


def around(x: float, y: float, radii: npt.ArrayLike, n: int, *, turn: float = 0.0) -> Points:
    """`n` points at `radii` (one, `n`, or `(n, 2)` for both axes) around `(x, y)`."""
    angle = np.arange(n) * 2 * np.pi / n + turn
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    scale = np.asarray(radii, dtype=np.float64)
    return np.asarray([x, y] + circle * (scale[:, None] if scale.ndim == 1 and len(scale) == n else scale))


def ellipse(x: float, y: float, across: float, down: float, n: int = 40) -> Points:
    """An ellipse with these half axes."""
    return around(x, y, np.array([[across, down]]), n)


def spot(middle: Points, radius: float) -> Points:
    """A small circle around `middle`, `(2,)`."""
    return around(float(middle[0]), float(middle[1]), radius, 16)


def superellipse(x: float, y: float, across: float, down: float, power: float) -> Points:
    """|x|^power + |y|^power = 1: a diamond (1), an ellipse (2), nearly a rectangle (8)."""
    unit = around(0, 0, 1.0, 56)
    return np.asarray([x, y] + np.sign(unit) * np.abs(unit) ** (2 / power) * [across, down])


def harmonics(rng: Rng, roughness: float, count: int = 6) -> Points:
    """Amplitude and phase, `(count, 2)`, of the waves on a blob's outline; higher ones are weaker."""
    order = np.arange(2, count + 2)
    return np.stack([roughness * rng.normal(size=count) / order, rng.uniform(0, 2 * np.pi, count)], axis=1)


def blob(x: float, y: float, across: float, down: float, waves: Points) -> Points:
    """An ellipse with waves on its outline."""
    angle, order = np.arange(64) * 2 * np.pi / 64, np.arange(2, len(waves) + 2)
    radius = 1 + (waves[:, 0] * np.cos(order * angle[:, None] + waves[:, 1])).sum(axis=1)
    return np.asarray([x, y] + np.clip(radius, 0.3, 1.8)[:, None] * around(0, 0, 1.0, 64) * [across, down])


def star(x: float, y: float, outer: float, inner: float, points: int, turn: float = -np.pi / 2) -> Points:
    """A star; `inner` = `outer` gives a polygon of twice as many corners."""
    radii = np.where(np.arange(2 * points) % 2, inner, outer)
    return around(x, y, radii, 2 * points, turn=turn)


def regular(x: float, y: float, radius: float, corners: int, turn: float = -np.pi / 2) -> Points:
    """A regular polygon."""
    return around(x, y, radius, corners, turn=turn)


def gear(x: float, y: float, outer: float, depth: float, teeth: int) -> Points:
    """A wheel with square teeth."""
    radii = np.where(np.arange(4 * teeth) % 4 < 2, outer, outer - depth)
    return around(x, y, radii, 4 * teeth)


def rect(left: float, top: float, right: float, bottom: float) -> Points:
    """An upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def rounded(left: float, top: float, right: float, bottom: float, power: float = 5.0) -> Points:
    """An upright rectangle with round corners; `power` as of `superellipse`."""
    return superellipse((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2, power)


def trapezoid(top: float, bottom: float, upper_half: float, lower_half: float, x: float = 0.0) -> Points:
    """A trapezoid symmetric around `x`, from `top` to `bottom`, with these half widths there."""
    return np.array([(x - upper_half, top), (x + upper_half, top), (x + lower_half, bottom), (x - lower_half, bottom)])


def profile(tops: Sequence[float], halves: Sequence[float], x: float = 0.0) -> Points:
    """A turned body: half widths `halves` at heights `tops`, mirrored at `x`."""
    right = np.stack([x + np.asarray(halves), np.asarray(tops)], axis=1)
    return np.concatenate([right, (right * [-1, 1] + [2 * x, 0])[::-1]])


def smooth(points: Points | Sequence[Spot], rounds: int = 2) -> Points:
    """Corners cut `rounds` times (Chaikin): polygons become bodies."""
    points = np.asarray(points, dtype=np.float64)
    for _ in range(rounds):
        after = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], axis=1).reshape(-1, 2)
    return points


def band(line: Points | Sequence[Spot], widths: npt.ArrayLike) -> Points:
    """A stroke along `line`, `widths` wide (one, or one a point)."""
    line = np.asarray(line, dtype=np.float64)
    along = np.gradient(line, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-9)
    half = normal * (np.broadcast_to(np.asarray(widths, dtype=np.float64), len(line))[:, None] / 2)
    return np.concatenate([line + half, (line - half)[::-1]])


def capsule(start: Spot, end: Spot, first: float, last: float) -> Points:
    """A limb: round at both ends, with these radii."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    turn = np.arctan2(*(b - a)[::-1])
    half = np.linspace(-np.pi / 2, np.pi / 2, 9)
    front = b + last * np.stack([np.cos(half + turn), np.sin(half + turn)], axis=1)
    back = a + first * np.stack([np.cos(half + turn + np.pi), np.sin(half + turn + np.pi)], axis=1)
    return np.concatenate([front, back])


def arc(x: float, y: float, radius: float, start: float, end: float, n: int = 24) -> Points:
    """An open line along a circle, angles in radians, clockwise from the right."""
    angle = np.linspace(start, end, n)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def lens(start: Spot, end: Spot, width: float, *, pointed: float = 1.0) -> Points:
    """A leaf between two tips."""
    along = np.linspace(0, 1, 17)
    line = np.asarray(start) + along[:, None] * (np.asarray(end, dtype=np.float64) - np.asarray(start))
    return band(line, width * np.sin(np.pi * along) ** pointed)


def joint(start: Spot, angle: float, length: float) -> Spot:
    """Where a limb from `start` ends; `angle` 0 points down, growing to the right."""
    return start[0] + length * float(np.sin(angle)), start[1] + length * float(np.cos(angle))


def joined(groups: Iterable[list[Outline]]) -> list[Outline]:
    """The outlines of all groups, in order."""
    return [outline for group in groups for outline in group]
