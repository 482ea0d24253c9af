"""Families of tools: a handle, and something at its end."""

import numpy as np

from studies.base.scenes.family import Family, Pose, fixed
from studies.base.scenes.outlines import (
    ACCENT,
    DARK,
    HOLE,
    MAIN,
    SECOND,
    Part,
    Rng,
    arc,
    around,
    band,
    capsule,
    ellipse,
    lens,
    profile,
    rect,
    regular,
    rounded,
    smooth,
    trapezoid,
)


def _key(r: Rng) -> Pose:
    thick, bow, corners = r.uniform(0.06, 0.12), r.uniform(0.28, 0.42), int(r.choice([4, 6, 8, 40]))
    teeth = [(x, r.uniform(0.18, 0.38)) for x in np.linspace(0.45, 0.88, int(r.integers(2, 6)))]
    parts = [Part(rect(x - 0.05, 0, x + 0.05, depth), MAIN) for x, depth in teeth]
    parts += [Part(rect(-0.4, -thick, 0.95, thick), MAIN), Part(rect(-0.3, -0.15, -0.2, 0.15), SECOND)]
    parts += [Part(around(-0.65, 0, bow, corners), MAIN), Part(around(-0.65, 0, bow * 0.75, corners), SECOND)]
    return fixed([*parts, Part(ellipse(-0.72, 0, bow * 0.35, bow * 0.35), HOLE)])


def _hammer(r: Rng) -> Pose:
    head, tall, thick = r.uniform(0.35, 0.6), r.uniform(0.15, 0.28), r.uniform(0.07, 0.13)
    claw = smooth([(0, -1), (head * 1.1, -1.05), (head * 1.3, -0.75), (head * 0.6, -0.8), (0, -1 + 2 * tall)])
    block = rounded(-head, -1, head * 0.4, -1 + 2 * tall)
    grip = rounded(-thick * 1.3, 0.35, thick * 1.3, 1, 3)
    return fixed([Part(rect(-thick, -0.9, thick, 1), SECOND), Part(claw, MAIN), Part(block, MAIN), Part(grip, ACCENT)])


def _wrench(r: Rng) -> Pose:
    thick, size, corners = r.uniform(0.1, 0.2), r.uniform(0.25, 0.4), int(r.choice([6, 40]))
    parts = [Part(band([(-0.7, 0), (0.7, 0)], 2 * thick), MAIN), Part(band([(-0.4, 0), (0.4, 0)], thick), SECOND)]
    parts += [Part(around(-0.7, 0, size, corners), MAIN), Part(regular(-0.7, 0, size * 0.5, 6), HOLE)]
    jaw = [Part(ellipse(0.7, 0, size, size), MAIN), Part(rect(0.72, -size * 0.45, 1.3, size * 0.45), HOLE)]
    return fixed(parts + jaw)


def _scissors(r: Rng) -> Pose:
    loop, thick, blade = r.uniform(0.22, 0.34), r.uniform(0.06, 0.1), r.uniform(0.12, 0.2)

    def pose(p: Rng) -> list[Part]:
        spread = p.uniform(0.1, 0.5)
        parts = []
        for sign in (-1, 1):
            tip = (sign * np.sin(spread), -np.cos(spread))
            x, y = -sign * (0.2 + loop), 0.75
            parts += [
                Part(lens((-tip[0] * 0.3, 0.3), tip, blade), MAIN),
                Part(band([(0, 0.1), (x * 0.8, y)], 0.14), SECOND),
            ]
            parts.append(Part(band(arc(x, y, loop, 0, 2 * np.pi), 2 * thick), SECOND))
        return [*parts, Part(ellipse(0, 0.1, 0.06, 0.06, 12), DARK)]

    return pose


def _knife(r: Rng) -> Pose:
    wide, grip, belly = r.uniform(0.12, 0.3), r.uniform(0.1, 0.16), r.uniform(0.3, 0.9)
    blade = smooth([(-0.2, -wide * 0.5), (0.7, -wide * 0.5), (1.1, 0), (belly, wide * 0.6), (-0.2, wide * 0.6)], 1)
    studs = [Part(ellipse(x, 0, 0.035, 0.035, 10), ACCENT) for x in (-0.8, -0.6, -0.4)]
    return fixed([Part(blade, MAIN), Part(rounded(-1, -grip, -0.15, grip, 4), SECOND), *studs])


def _brush(r: Rng) -> Pose:
    wide, long, flare = r.uniform(0.2, 0.5), r.uniform(0.3, 0.6), r.uniform(0.8, 1.4)
    hairs = Part(trapezoid(-1, -1 + long, wide * flare, wide), ACCENT)
    collar = Part(rect(-wide, -1 + long, wide, -0.85 + long), SECOND)
    grip = Part(profile([-0.85 + long, -0.4 + long, 0.6, 1], [wide * 0.9, 0.08, 0.12, 0.07]), MAIN)
    return fixed([hairs, grip, collar])


def _fork(r: Rng) -> Pose:
    prongs, wide, long = int(r.integers(2, 7)), r.uniform(0.2, 0.4), r.uniform(0.4, 0.8)
    across = np.linspace(-wide, wide, prongs)
    teeth = [Part(band([(x, -1), (x, -1 + long)], [0.05, 0.09]), MAIN) for x in across]
    root = Part(
        smooth(
            [(-wide - 0.05, -1.05 + long), (wide + 0.05, -1.05 + long), (0.05, -0.6 + long), (-0.05, -0.6 + long)], 1
        ),
        MAIN,
    )
    return fixed([*teeth, root, Part(band([(0, -0.7 + long), (0, 1)], [0.1, 0.16]), SECOND)])


def _rod(r: Rng) -> Pose:
    thick, rings = r.uniform(0.08, 0.2), int(r.integers(1, 5))
    bands = [Part(rect(x, -thick, x + 0.1, thick), ACCENT) for x in r.uniform(-0.8, 0.6, rings)]
    tip = Part(np.array([(0.75, -thick), (1.05, 0), (0.75, thick)]), SECOND)
    return fixed([Part(rect(-1, -thick, 0.76, thick), MAIN), *bands, tip])


def _pistol(r: Rng) -> Pose:
    barrel, lean, thick = r.uniform(0.7, 1.3), r.uniform(0.1, 0.4), r.uniform(0.14, 0.22)
    grip = Part(np.array([(-0.75, -0.3), (-0.3, -0.3), (-0.45 - lean, 0.65), (-0.9 - lean, 0.6)]), SECOND)
    guard = Part(band(arc(-0.15, -0.22, 0.22, 0, np.pi), 0.06), MAIN)
    slide = Part(rounded(-0.85, -0.35 - thick, barrel, -0.25 + thick * 0.3, 9), MAIN)
    rail = Part(rect(-0.7, -0.28, barrel * 0.8, -0.15), DARK)
    sight = [Part(rect(x, -0.42 - thick, x + 0.08, -0.3 - thick), DARK) for x in (-0.75, barrel - 0.15)]
    magazine = [Part(rect(0.05, -0.2, 0.3, r.uniform(0.2, 0.6)), DARK)] if r.random() < 0.3 else []
    return fixed([grip, guard, *magazine, rail, slide, *sight])


def _rifle(r: Rng) -> Pose:
    stock, barrel, scope = r.uniform(0.12, 0.25), r.uniform(0.03, 0.06), r.random() < 0.5
    butt = Part(np.array([(-1, -0.02), (-0.4, -0.08), (-0.4, 0.1), (-1, 0.1 + stock)]), SECOND)
    body = Part(rect(-0.45, -0.1, 0.3, 0.1), MAIN)
    clip = Part(band([(-0.05, 0.05), (0.02, 0.25), (0.12, 0.42)], 0.14), DARK)
    grip = Part(band([(-0.3, 0.05), (-0.4, 0.32)], 0.12), SECOND)
    parts = [
        butt,
        Part(rect(0.2, -0.06, 0.6, 0.08), SECOND),
        Part(rect(0.2, -barrel, 1.1, barrel), MAIN),
        body,
        clip,
        grip,
    ]
    return fixed([*parts, Part(capsule((-0.25, -0.2), (0.2, -0.2), 0.07, 0.09), DARK)] if scope else parts)


FAMILIES = (
    Family("key", _key, look="hard"),
    Family("hammer", _hammer, look="hard"),
    Family("wrench", _wrench, look="hard"),
    Family("scissors", _scissors, look="hard"),
    Family("knife", _knife, look="hard"),
    Family("brush", _brush),
    Family("fork", _fork, look="hard"),
    Family("rod", _rod),
    Family("pistol", _pistol, look="hard"),
    Family("rifle", _rifle, look="hard"),
)
