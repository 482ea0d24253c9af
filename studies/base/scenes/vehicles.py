"""Families of vehicles and furniture."""

import numpy as np

from studies.base.scenes.family import Family, Pose, fixed
from studies.base.scenes.outlines import (
    ACCENT,
    DARK,
    HOLE,
    MAIN,
    SECOND,
    Outline,
    Rng,
    arc,
    around,
    band,
    ellipse,
    joined,
    lens,
    rect,
    rounded,
    smooth,
)


def _wheel(x: float, y: float, radius: float) -> list[Outline]:
    return [Outline(ellipse(x, y, radius, radius), DARK), Outline(ellipse(x, y, radius * 0.55, radius * 0.55), ACCENT)]


def _car(r: Rng) -> Pose:
    nose, back, roof, wheel = r.uniform(0.2, 0.5), r.uniform(0.1, 0.45), r.uniform(0.35, 0.6), r.uniform(0.17, 0.26)
    low = r.uniform(0.25, 0.4)
    cabin = [(-1 + back, -0.05), (-0.75 + back, -roof), (0.35, -roof), (0.85 - nose, -0.05)]
    body = smooth([(-1, -0.05), (1 - nose, -0.05), (1, 0.12), (1, low), (-1, low)], 1)
    panes = np.array(cabin) * [0.85, 0.8] + [0.02, -0.04]
    post = Outline(rect(-0.12, -roof, -0.04, 0), MAIN)
    lamp = [Outline(ellipse(0.93, 0.12, 0.07, 0.06), ACCENT), Outline(rect(-1, 0.02, -0.92, 0.14), ACCENT)]
    outlines = [
        Outline(smooth(cabin, 1), MAIN),
        Outline(panes, DARK),
        post,
        Outline(body, MAIN),
        Outline(rect(-0.95, low - 0.1, 0.95, low), SECOND),
    ]
    return fixed([*outlines, *lamp, *_wheel(-0.58, low, wheel), *_wheel(0.58, low, wheel)])


def _truck(r: Rng) -> Pose:
    cab, tall, wheels, wheel = r.uniform(0.35, 0.55), r.uniform(0.4, 0.75), int(r.integers(2, 5)), r.uniform(0.13, 0.2)
    load = Outline(rect(-1, -tall, 0.92 - cab, 0.3), MAIN)
    front = Outline(smooth([(1 - cab, -tall * 0.7), (0.9, -tall * 0.7), (1, 0), (1, 0.35), (1 - cab, 0.35)], 1), SECOND)
    pane = Outline(rect(1.08 - cab, -tall * 0.55, 0.88, -0.02), DARK)
    ribs = [Outline(rect(x, -tall, x + 0.04, 0.3), SECOND) for x in np.linspace(-0.8, 0.2, int(r.integers(0, 5)))]
    rolling = joined(_wheel(x, 0.4, wheel) for x in np.linspace(-0.75, 0.7, wheels))
    return fixed([Outline(rect(-0.95, 0.25, 0.95, 0.38), DARK), load, *ribs, front, pane, *rolling])


def _bicycle(r: Rng) -> Pose:
    wheel, thick, rise, spokes = r.uniform(0.36, 0.48), r.uniform(0.05, 0.1), r.uniform(0.3, 0.6), int(r.integers(3, 8))
    left, right, seat, bars, pedal = (-0.6, 0.3), (0.6, 0.3), (-0.25, -rise), (0.42, -rise - 0.05), (-0.05, 0.3)
    outlines: list[Outline] = []
    for x, y in (left, right):
        outlines += [
            Outline(band(arc(x, y, wheel, 0, 2 * np.pi, 36), thick), DARK),
            Outline(ellipse(x, y, 0.06, 0.06), ACCENT),
        ]
        outlines += [Outline(band([(x, y), tuple(end)], 0.025), ACCENT) for end in around(x, y, wheel, spokes)]
    tubes = ((left, pedal), (left, seat), (seat, pedal), (pedal, bars), (seat, bars), (bars, right))
    outlines += [Outline(band([a, b], thick), MAIN) for a, b in tubes]
    return fixed(
        [
            *outlines,
            Outline(lens((-0.5, -rise), (-0.02, -rise), 0.16), SECOND),
            Outline(band([bars, (0.62, -rise - 0.15)], 0.07), SECOND),
        ]
    )


def _boat(r: Rng) -> Pose:
    sails, deep, tall = int(r.integers(0, 3)), r.uniform(0.25, 0.45), r.uniform(0.8, 1.2)
    hull = Outline(smooth([(-1, 0.3), (1.05, 0.25), (0.7, 0.3 + deep), (-0.75, 0.3 + deep)], 1), MAIN)
    stripe = Outline(np.array([(-0.95, 0.36), (0.98, 0.34), (0.95, 0.44), (-0.92, 0.46)]), SECOND)
    mast = Outline(rect(-0.03, -tall, 0.03, 0.35), DARK)
    cloth = [
        np.array([(0.07, -tall), (0.75, 0.2), (0.07, 0.2)]),
        np.array([(-0.07, -tall * 0.9), (-0.65, 0.2), (-0.07, 0.2)]),
    ]
    house = [
        Outline(rect(-0.5, -0.1, 0.2, 0.35), SECOND),
        *(Outline(ellipse(x, 0.1, 0.07, 0.07), DARK) for x in (-0.35, -0.1)),
    ]
    return fixed([mast, *(Outline(shape, ACCENT) for shape in cloth[:sails]), *([] if sails else house), hull, stripe])


def _plane(r: Rng) -> Pose:
    span, sweep, thick, tail = r.uniform(0.6, 1.0), r.uniform(0.0, 0.6), r.uniform(0.1, 0.18), r.uniform(0.25, 0.45)
    wings = [np.array([(0.25, 0), (0.0 - sweep, s * span), (-0.2 - sweep, s * span), (-0.2, 0)]) for s in (-1, 1)]
    fins = [np.array([(-0.7, 0), (-0.95, s * tail), (-1.05, s * tail), (-0.95, 0)]) for s in (-1, 1)]
    engines = [Outline(ellipse(-sweep * 0.4 + 0.1, s * span * 0.45, 0.15, 0.06), DARK) for s in (-1, 1)]
    body = Outline(lens((-1.05, 0), (1, 0), 2 * thick, pointed=0.45), SECOND)
    return fixed(
        [
            *(Outline(shape, MAIN) for shape in (*wings, *fins)),
            *engines,
            body,
            Outline(ellipse(0.7, 0, 0.1, thick * 0.5), ACCENT),
        ]
    )


def _house(r: Rng) -> Pose:
    wide, eave, floors, windows = (
        r.uniform(0.6, 0.9),
        r.uniform(-0.4, 0.1),
        int(r.integers(1, 4)),
        int(r.integers(2, 5)),
    )
    roof = [(-wide - 0.12, eave), (r.uniform(-0.4, 0.0), -0.95), (r.uniform(0.0, 0.4), -0.95), (wide + 0.12, eave)]
    outlines = [Outline(rect(-wide, eave, wide, 1), MAIN), Outline(np.array(roof), SECOND)]
    for y in np.linspace(eave + 0.12, 0.6, floors + 1)[:-1]:
        outlines += [
            Outline(rect(x - 0.08, y, x + 0.08, y + 0.22), DARK)
            for x in np.linspace(-wide * 0.75, wide * 0.75, windows)
        ]
    return fixed([*outlines, Outline(rect(-0.13, 0.5, 0.13, 1), ACCENT)])


def _chair(r: Rng) -> Pose:
    seat, back, thick, bars = r.uniform(0.45, 0.6), r.uniform(0.6, 0.95), r.uniform(0.05, 0.1), int(r.integers(2, 5))

    def pose(p: Rng) -> list[Outline]:
        lean = p.uniform(-0.25, 0.25)
        legs = [
            Outline(band([(x, 0.1), (x * 1.1 + d, 1)], thick * 1.4), DARK) for x in (-seat, seat) for d in (0.0, lean)
        ]
        slats = [Outline(rect(-seat, y, seat, y + 0.13), SECOND) for y in np.linspace(-back, -0.15, bars)]
        posts = [Outline(rect(x - thick, -back - 0.05, x + thick, 0.1), MAIN) for x in (-seat, seat)]
        board = Outline(np.array([(-seat, 0), (seat, 0), (seat + lean, 0.22), (-seat + lean, 0.22)]), MAIN)
        return [*legs, *posts, *slats, board]

    return pose


def _table(r: Rng) -> Pose:
    flat, thick, legs = r.uniform(0.1, 0.35), r.uniform(0.05, 0.1), int(r.choice([1, 2, 4]))
    spots = {1: [0.0], 2: [-0.7, 0.7], 4: [-0.85, -0.5, 0.5, 0.85]}[legs]
    under = [Outline(rect(x - thick, -0.1, x + thick, 0.8 if abs(x) > 0.6 else 0.65), DARK) for x in spots]
    top = rounded(-1, -0.3 - flat, 1, -0.3 + flat, float(r.choice([2.0, 8.0])))
    return fixed([*under, Outline(top + np.array([0, 0.1]), SECOND), Outline(top, MAIN)])


def _umbrella(r: Rng) -> Pose:
    ribs, deep = int(r.integers(3, 8)), r.uniform(0.5, 0.9)
    half = np.linspace(np.pi, 2 * np.pi, 40)
    dome = np.stack([np.cos(half), -0.1 + deep * np.sin(half)], axis=1)
    hem = [Outline(ellipse(x, -0.08, 0.9 / ribs, 0.08), HOLE) for x in np.linspace(-1 + 1 / ribs, 1 - 1 / ribs, ribs)]
    seams = [Outline(lens((0, -0.1 - deep), (x, -0.1), 0.5 / ribs), SECOND) for x in np.linspace(-0.8, 0.8, ribs)]
    hook = Outline(band(arc(0.15, 0.8, 0.15, 0, np.pi), 0.07), DARK)
    return fixed([Outline(dome, MAIN), *seams, *hem, Outline(rect(-0.03, -0.15, 0.03, 0.8), DARK), hook])


FAMILIES = (
    Family("car", _car, tilt=0.12, look="hard"),
    Family("truck", _truck, tilt=0.12, look="hard"),
    Family("bicycle", _bicycle, tilt=0.15, look="hard"),
    Family("boat", _boat, tilt=0.15),
    Family("plane", _plane, look="hard"),
    Family("house", _house, tilt=0.05),
    Family("chair", _chair, tilt=0.15),
    Family("table", _table, tilt=0.1),
    Family("umbrella", _umbrella, tilt=0.4),
)
