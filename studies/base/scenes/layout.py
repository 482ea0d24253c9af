"""What stands where in a scene: how many things, which, how large, in what order."""

from dataclasses import dataclass

import numpy as np

from studies.base.library import Library

Rng = np.random.Generator

SMALLEST, LARGEST = 0.02, 0.90
MOST = 60
# The longest side that n things can have and still find room, as a share of the image's.
_ROOM = ((1, 0.90), (2, 0.80), (3, 0.70), (5, 0.55), (10, 0.40), (25, 0.26), (MOST, 0.15))
_ANY_TURN, _UPRIGHT = 180.0, 9.0


@dataclass(frozen=True)
class Wish:
    """A thing to be placed.

    Attributes:
        number: of its cut-out; None is a scrap of another picture, which has no box.
        size: its longer side as a share of the image's.
        tilt: how far it is turned: a standard deviation in degrees, 180 for any turn.
        place: its centre as shares of width and height, or None: anywhere.
        loose: how far it may move from its place when there is no room.
    """

    number: int | None
    size: float
    tilt: float
    place: tuple[float, float] | None = None
    loose: float = 0.0


@dataclass(frozen=True)
class Layout:
    """A scene's plan: what it is like, and its things from the farthest to the nearest."""

    name: str
    wishes: list[Wish]


def plan(rng: Rng, library: Library, horizon: float) -> Layout:
    """A layout: things anywhere, a swarm, rows, a floor in perspective, or one thing alone."""
    name = str(rng.choice(["free", "swarm", "rows", "floor", "alone"], p=[0.43, 0.12, 0.1, 0.17, 0.18]))
    if name == "floor":
        wishes = _floor(rng, library, horizon)
    else:
        wishes = {"free": _free, "swarm": _swarm, "rows": _rows, "alone": _alone}[name](rng, library)
    return Layout(name, _with_scraps(rng, wishes[:MOST]))


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _room(n: int) -> float:
    return next(size for most, size in _ROOM if n <= most)


def _tilt(rng: Rng) -> float:
    """Of all things of a scene: most stand, as the world does; some lie anyhow."""
    return _UPRIGHT if rng.random() < 0.65 else _ANY_TURN


def _free(rng: Rng, library: Library) -> list[Wish]:
    n = int(_log_uniform(rng, 1, 12) if rng.random() < 0.85 else _log_uniform(rng, 10, MOST + 1))
    low, tilt = _log_uniform(rng, SMALLEST, 0.5 * _room(n)), _tilt(rng)
    wishes = [Wish(library.any_cut_out(rng), _log_uniform(rng, low, _room(n)), tilt) for _ in range(n)]
    if n <= 5:
        # Else half of the scenes with few things would be nearly empty, and large things rare.
        wishes[0] = Wish(library.any_cut_out(rng), _room(n) * float(rng.uniform(0.4, 1)), tilt)
    return wishes


def _alone(rng: Rng, library: Library) -> list[Wish]:
    place = (float(rng.normal(0.5, 0.08)), float(rng.normal(0.5, 0.08)))
    return [Wish(library.any_cut_out(rng), _log_uniform(rng, 0.3, LARGEST), _tilt(rng), place, 0.25)]


def _swarm(rng: Rng, library: Library) -> list[Wish]:
    """Many of a few things, of like size, densely packed: cells, parts on a tray, a flock."""
    few = [library.any_cut_out(rng) for _ in range(int(rng.integers(1, 4)))]
    n, tilt = int(_log_uniform(rng, 6, MOST + 1)), _ANY_TURN if rng.random() < 0.7 else _UPRIGHT
    size = min(0.9 / np.sqrt(n) * rng.uniform(0.6, 1.25), 0.3)
    share = rng.dirichlet(np.full(len(few), 0.7))
    # Some swarms gather, others are spread.
    middle, width = rng.uniform(0.3, 0.7, 2), rng.uniform(0.18, 0.3)
    gathered = rng.random() < 0.3
    wishes = []
    for _ in range(n):
        x, y = rng.normal(middle, width)
        number = few[int(rng.choice(len(few), p=share))]
        place = (float(x), float(y)) if gathered else None
        wishes.append(Wish(number, float(size * np.exp(rng.normal(0, 0.15))), tilt, place, 0.1))
    return wishes


def _rows(rng: Rng, library: Library) -> list[Wish]:
    """Shelves, displays, street fronts: things side by side on common lines."""
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(2, 8))
    same = library.any_cut_out(rng)
    one_kind, cell = rng.random() < 0.4, 1 / max(rows, columns)
    wishes = []
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.15:
                continue
            place = ((column + 0.5 + rng.normal(0, 0.07)) / columns, (row + 0.5 + rng.normal(0, 0.03)) / rows)
            number = same if one_kind else library.any_cut_out(rng)
            wishes.append(Wish(number, float(cell * rng.uniform(0.7, 1.1)), _UPRIGHT, place, 0.04))
    return wishes or _alone(rng, library)


def _floor(rng: Rng, library: Library, horizon: float) -> list[Wish]:
    """Things on the ground: the lower in the image the nearer, and the larger."""
    n = int(rng.integers(2, 18))
    near = _room(n) * rng.uniform(0.8, 1.2)
    wishes = []
    for depth in np.sort(rng.uniform(0.05, 1, n) ** 1.3):
        size = min(max(near * depth * rng.uniform(0.7, 1.2), SMALLEST), LARGEST)
        place = (float(rng.uniform(0.02, 0.98)), float(horizon + (1 - horizon) * depth - 0.4 * size))
        wishes.append(Wish(library.any_cut_out(rng), float(size), _UPRIGHT / 2, place, 0.15))
    return wishes


def _with_scraps(rng: Rng, wishes: list[Wish]) -> list[Wish]:
    """Pieces of other pictures among the things: that something was pasted does not make it a thing."""
    if rng.random() < 0.7:
        return wishes
    for _ in range(int(rng.integers(1, 5))):
        scrap = Wish(None, _log_uniform(rng, 0.05, 0.5), _ANY_TURN)
        wishes.insert(int(rng.integers(len(wishes) + 1)), scrap)
    return wishes
