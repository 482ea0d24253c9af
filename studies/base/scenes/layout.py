"""What stands where in a scene: how many things, of which kinds, how large, in what order."""

from dataclasses import dataclass

import numpy as np

from studies.base.scenes.kinds import FAMILIES

Rng = np.random.Generator

SMALLEST, LARGEST = 0.02, 0.90
MOST = 60
# The longest side that n things can have and still find room, as a share of the image's.
_ROOM = ((1, 0.90), (2, 0.80), (3, 0.70), (5, 0.55), (10, 0.40), (25, 0.26), (MOST, 0.15))
# What is worn: family, the wearer's place for it (share of width and height), its size as a share of the wearer's.
WORN = {
    "face": (("helmet", 0.5, 0.16, 0.62), ("goggles", 0.5, 0.45, 0.55), ("mask", 0.5, 0.72, 0.52)),
    "person": (
        ("helmet", 0.5, 0.08, 0.17),
        ("bag", 0.7, 0.6, 0.22),
        ("mask", 0.5, 0.13, 0.1),
        ("coat", 0.5, 0.36, 0.45),
    ),
}
_CELLS = tuple(name for name, family in FAMILIES.items() if family.look == "cell")
_UPRIGHT = tuple(name for name, family in FAMILIES.items() if family.tilt is not None)


@dataclass(frozen=True)
class Wish:
    """A thing to be placed.

    Attributes:
        family, number: its kind; family None is clutter.
        size: its longer side as a share of the image's.
        place: its centre as shares of width and height, or None: anywhere.
        loose: how far it may move from its place when there is no room.
    """

    family: str | None
    number: int
    size: float
    place: tuple[float, float] | None = None
    loose: float = 0.0


@dataclass(frozen=True)
class Layout:
    """A scene's plan: what it is like, and its things from the farthest to the nearest."""

    name: str
    wishes: list[Wish]


def plan(rng: Rng, kinds_per_family: int) -> Layout:
    """A layout: things anywhere, a swarm, rows, a floor in perspective, or one thing alone."""
    name = str(rng.choice(["free", "swarm", "rows", "floor", "alone"], p=[0.46, 0.11, 0.09, 0.16, 0.18]))
    wishes = _LAYOUTS[name](rng, kinds_per_family)[:MOST]
    return Layout(name, _with_clutter(rng, wishes))


def _any_kind(rng: Rng, kinds: int, families: tuple[str, ...] = tuple(FAMILIES)) -> tuple[str, int]:
    return families[int(rng.integers(len(families)))], int(rng.integers(kinds))


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _room(n: int) -> float:
    return next(size for most, size in _ROOM if n <= most)


def _free(rng: Rng, kinds: int) -> list[Wish]:
    n = int(_log_uniform(rng, 1, 12) if rng.random() < 0.85 else _log_uniform(rng, 10, MOST + 1))
    low = _log_uniform(rng, SMALLEST, 0.5 * _room(n))
    wishes = [Wish(*_any_kind(rng, kinds), _log_uniform(rng, low, _room(n))) for _ in range(n)]
    if n <= 5:
        # Else half of the scenes with few things would be nearly empty, and large things rare.
        wishes[0] = Wish(*_any_kind(rng, kinds), _room(n) * float(rng.uniform(0.4, 1)))
    return [worn for wish in wishes for worn in _dressed(rng, kinds, wish)]


def _alone(rng: Rng, kinds: int) -> list[Wish]:
    place = (float(rng.normal(0.5, 0.08)), float(rng.normal(0.5, 0.08)))
    return _dressed(rng, kinds, Wish(*_any_kind(rng, kinds), _log_uniform(rng, 0.3, LARGEST), place, 0.25))


def _dressed(rng: Rng, kinds: int, wish: Wish) -> list[Wish]:
    """The thing, and what it wears: that needs to know where it is."""
    if wish.family not in WORN or rng.random() < 0.4:
        return [wish]
    x, y = wish.place or tuple(rng.uniform(0.2, 0.8, 2))
    worn = [
        Wish(
            family,
            int(rng.integers(kinds)),
            wish.size * size,
            (x + (across - 0.5) * wish.size * 0.6, y + (down - 0.5) * wish.size),
            0.02,
        )
        for family, across, down, size in WORN[wish.family]
        if rng.random() < 0.45 and wish.size * size > SMALLEST
    ]
    return [Wish(wish.family, wish.number, wish.size, (x, y), 0.0), *worn]


def _swarm(rng: Rng, kinds: int) -> list[Wish]:
    """Many of a few kinds, of like size, densely packed."""
    families = _CELLS if rng.random() < 0.35 else tuple(FAMILIES)
    few = [_any_kind(rng, kinds, families) for _ in range(int(rng.integers(1, 4)))]
    n = int(_log_uniform(rng, 6, MOST + 1))
    size = min(0.9 / np.sqrt(n) * rng.uniform(0.6, 1.25), 0.3)
    share = rng.dirichlet(np.full(len(few), 0.7))
    return [Wish(*few[int(rng.choice(len(few), p=share))], float(size * np.exp(rng.normal(0, 0.15)))) for _ in range(n)]


def _rows(rng: Rng, kinds: int) -> list[Wish]:
    """Shelves, displays, street fronts: things side by side on common lines."""
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(2, 8))
    same = _any_kind(rng, kinds, _UPRIGHT)
    one_kind, cell = rng.random() < 0.4, 1 / max(rows, columns)
    wishes = []
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.15:
                continue
            place = ((column + 0.5 + rng.normal(0, 0.07)) / columns, (row + 0.5 + rng.normal(0, 0.03)) / rows)
            chosen = same if one_kind else _any_kind(rng, kinds, _UPRIGHT)
            wishes.append(Wish(*chosen, float(cell * rng.uniform(0.7, 1.1)), place, 0.04))
    return wishes or _alone(rng, kinds)


def _floor(rng: Rng, kinds: int) -> list[Wish]:
    """Things on the ground: the lower in the image the nearer, and the larger."""
    n, horizon = int(rng.integers(2, 18)), rng.uniform(0.15, 0.5)
    near = _room(n) * rng.uniform(0.8, 1.2)
    wishes = []
    for depth in np.sort(rng.uniform(0.05, 1, n) ** 1.3):
        size = min(max(near * depth * rng.uniform(0.7, 1.2), SMALLEST), LARGEST)
        place = (float(rng.uniform(0.02, 0.98)), float(horizon + (1 - horizon) * depth - 0.4 * size))
        wishes.append(Wish(*_any_kind(rng, kinds, _UPRIGHT), float(size), place, 0.15))
    return [worn for wish in wishes for worn in _dressed(rng, kinds, wish)]


def _with_clutter(rng: Rng, wishes: list[Wish]) -> list[Wish]:
    """Things that are no objects, among and before the others."""
    most = float(np.mean([wish.size for wish in wishes])) * 1.5
    for _ in range(int(rng.choice([0, int(rng.integers(1, 5)), int(rng.integers(4, 14))], p=[0.35, 0.4, 0.25]))):
        wish = Wish(None, 0, _log_uniform(rng, SMALLEST, min(max(most, 0.1), 0.7)))
        wishes.insert(int(rng.integers(len(wishes) + 1)), wish)
    return wishes


_LAYOUTS = {"free": _free, "alone": _alone, "swarm": _swarm, "rows": _rows, "floor": _floor}
