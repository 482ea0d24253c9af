"""Families of tools: a handle, and something at its end."""

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
    outlines = [Outline(rect(x - 0.05, 0, x + 0.05, depth), MAIN) for x, depth in teeth]
    outlines += [Outline(rect(-0.4, -thick, 0.95, thick), MAIN), Outline(rect(-0.3, -0.15, -0.2, 0.15), SECOND)]
    outlines += [Outline(around(-0.65, 0, bow, corners), MAIN), Outline(around(-0.65, 0, bow * 0.75, corners), SECOND)]
    return fixed([*outlines, Outline(ellipse(-0.72, 0, bow * 0.35, bow * 0.35), HOLE)])


def _hammer(r: Rng) -> Pose:
    head, tall, thick = r.uniform(0.35, 0.6), r.uniform(0.15, 0.28), r.uniform(0.07, 0.13)
    claw = smooth([(0, -1), (head * 1.1, -1.05), (head * 1.3, -0.75), (head * 0.6, -0.8), (0, -1 + 2 * tall)])
    block = rounded(-head, -1, head * 0.4, -1 + 2 * tall)
    grip = rounded(-thick * 1.3, 0.35, thick * 1.3, 1, 3)
    return fixed(
        [
            Outline(rect(-thick, -0.9, thick, 1), SECOND),
            Outline(claw, MAIN),
            Outline(block, MAIN),
            Outline(grip, ACCENT),
        ]
    )


def _wrench(r: Rng) -> Pose:
    thick, size, corners = r.uniform(0.1, 0.2), r.uniform(0.25, 0.4), int(r.choice([6, 40]))
    outlines = [
        Outline(band([(-0.7, 0), (0.7, 0)], 2 * thick), MAIN),
        Outline(band([(-0.4, 0), (0.4, 0)], thick), SECOND),
    ]
    outlines += [Outline(around(-0.7, 0, size, corners), MAIN), Outline(regular(-0.7, 0, size * 0.5, 6), HOLE)]
    jaw = [Outline(ellipse(0.7, 0, size, size), MAIN), Outline(rect(0.72, -size * 0.45, 1.3, size * 0.45), HOLE)]
    return fixed(outlines + jaw)


def _scissors(r: Rng) -> Pose:
    loop, thick, blade = r.uniform(0.22, 0.34), r.uniform(0.06, 0.1), r.uniform(0.12, 0.2)

    def pose(p: Rng) -> list[Outline]:
        spread = p.uniform(0.1, 0.5)
        outlines = []
        for sign in (-1, 1):
            tip = (sign * np.sin(spread), -np.cos(spread))
            x, y = -sign * (0.2 + loop), 0.75
            outlines += [
                Outline(lens((-tip[0] * 0.3, 0.3), tip, blade), MAIN),
                Outline(band([(0, 0.1), (x * 0.8, y)], 0.14), SECOND),
            ]
            outlines.append(Outline(band(arc(x, y, loop, 0, 2 * np.pi), 2 * thick), SECOND))
        return [*outlines, Outline(ellipse(0, 0.1, 0.06, 0.06, 12), DARK)]

    return pose


def _knife(r: Rng) -> Pose:
    wide, grip, belly = r.uniform(0.12, 0.3), r.uniform(0.1, 0.16), r.uniform(0.3, 0.9)
    blade = smooth([(-0.2, -wide * 0.5), (0.7, -wide * 0.5), (1.1, 0), (belly, wide * 0.6), (-0.2, wide * 0.6)], 1)
    studs = [Outline(ellipse(x, 0, 0.035, 0.035, 10), ACCENT) for x in (-0.8, -0.6, -0.4)]
    return fixed([Outline(blade, MAIN), Outline(rounded(-1, -grip, -0.15, grip, 4), SECOND), *studs])


def _brush(r: Rng) -> Pose:
    wide, long, flare = r.uniform(0.2, 0.5), r.uniform(0.3, 0.6), r.uniform(0.8, 1.4)
    hairs = Outline(trapezoid(-1, -1 + long, wide * flare, wide), ACCENT)
    collar = Outline(rect(-wide, -1 + long, wide, -0.85 + long), SECOND)
    grip = Outline(profile([-0.85 + long, -0.4 + long, 0.6, 1], [wide * 0.9, 0.08, 0.12, 0.07]), MAIN)
    return fixed([hairs, grip, collar])


def _fork(r: Rng) -> Pose:
    prongs, wide, long = int(r.integers(2, 7)), r.uniform(0.2, 0.4), r.uniform(0.4, 0.8)
    across = np.linspace(-wide, wide, prongs)
    teeth = [Outline(band([(x, -1), (x, -1 + long)], [0.05, 0.09]), MAIN) for x in across]
    root = Outline(
        smooth(
            [(-wide - 0.05, -1.05 + long), (wide + 0.05, -1.05 + long), (0.05, -0.6 + long), (-0.05, -0.6 + long)], 1
        ),
        MAIN,
    )
    return fixed([*teeth, root, Outline(band([(0, -0.7 + long), (0, 1)], [0.1, 0.16]), SECOND)])


def _rod(r: Rng) -> Pose:
    thick, rings = r.uniform(0.08, 0.2), int(r.integers(1, 5))
    bands = [Outline(rect(x, -thick, x + 0.1, thick), ACCENT) for x in r.uniform(-0.8, 0.6, rings)]
    tip = Outline(np.array([(0.75, -thick), (1.05, 0), (0.75, thick)]), SECOND)
    return fixed([Outline(rect(-1, -thick, 0.76, thick), MAIN), *bands, tip])


def _pistol(r: Rng) -> Pose:
    barrel, lean, thick = r.uniform(0.7, 1.3), r.uniform(0.1, 0.4), r.uniform(0.14, 0.22)
    grip = Outline(np.array([(-0.75, -0.3), (-0.3, -0.3), (-0.45 - lean, 0.65), (-0.9 - lean, 0.6)]), SECOND)
    guard = Outline(band(arc(-0.15, -0.22, 0.22, 0, np.pi), 0.06), MAIN)
    slide = Outline(rounded(-0.85, -0.35 - thick, barrel, -0.25 + thick * 0.3, 9), MAIN)
    rail = Outline(rect(-0.7, -0.28, barrel * 0.8, -0.15), DARK)
    sight = [Outline(rect(x, -0.42 - thick, x + 0.08, -0.3 - thick), DARK) for x in (-0.75, barrel - 0.15)]
    magazine = [Outline(rect(0.05, -0.2, 0.3, r.uniform(0.2, 0.6)), DARK)] if r.random() < 0.3 else []
    return fixed([grip, guard, *magazine, rail, slide, *sight])


def _rifle(r: Rng) -> Pose:
    stock, barrel, scope = r.uniform(0.12, 0.25), r.uniform(0.03, 0.06), r.random() < 0.5
    butt = Outline(np.array([(-1, -0.02), (-0.4, -0.08), (-0.4, 0.1), (-1, 0.1 + stock)]), SECOND)
    body = Outline(rect(-0.45, -0.1, 0.3, 0.1), MAIN)
    clip = Outline(band([(-0.05, 0.05), (0.02, 0.25), (0.12, 0.42)], 0.14), DARK)
    grip = Outline(band([(-0.3, 0.05), (-0.4, 0.32)], 0.12), SECOND)
    outlines = [
        butt,
        Outline(rect(0.2, -0.06, 0.6, 0.08), SECOND),
        Outline(rect(0.2, -barrel, 1.1, barrel), MAIN),
        body,
        clip,
        grip,
    ]
    return fixed([*outlines, Outline(capsule((-0.25, -0.2), (0.2, -0.2), 0.07, 0.09), DARK)] if scope else outlines)


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
