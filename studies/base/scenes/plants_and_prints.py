"""Families of plants, signs and other flat or printed things."""

import numpy as np

from studies.base.scenes.family import Family, Pose, fixed
from studies.base.scenes.outlines import (
    ACCENT,
    DARK,
    MAIN,
    SECOND,
    Outline,
    Rng,
    arc,
    around,
    band,
    blob,
    ellipse,
    harmonics,
    joint,
    lens,
    rect,
    regular,
    rounded,
    star,
    trapezoid,
)


def _strokes(r: Rng, reach: float) -> list[Outline]:
    """A letter-like sign: bars and bows on a grid."""
    grid = [(x * reach, y * reach) for x in (-0.6, 0.6) for y in (-0.9, 0.0, 0.9)]
    outlines = []
    for _ in range(int(r.integers(2, 5))):
        a, b = r.choice(6, 2, replace=False)
        outlines.append(Outline(band([grid[a], grid[b]], 0.26 * reach), MAIN))
    bow = Outline(
        band(arc(0, r.choice([-0.45, 0.0, 0.45]) * reach, 0.5 * reach, *sorted(r.uniform(-3, 6, 2))), 0.24 * reach),
        MAIN,
    )
    return [*outlines, bow] if r.random() < 0.7 else outlines


def _potted(r: Rng) -> Pose:
    leaves, long, wide, pot = int(r.integers(5, 13)), r.uniform(0.6, 1.0), r.uniform(0.12, 0.4), r.uniform(0.25, 0.4)

    def pose(p: Rng) -> list[Outline]:
        fan = [np.pi + a + p.normal(0, 0.1) for a in np.linspace(-1.3, 1.3, leaves)]
        green = [
            Outline(lens((0, 0.4), joint((0, 0.4), a, long * p.uniform(0.7, 1.2)), wide), (MAIN, ACCENT)[i % 2])
            for i, a in enumerate(fan)
        ]
        return [
            *green,
            Outline(trapezoid(0.35, 1, pot, pot * 0.7), SECOND),
            Outline(rect(-pot * 1.1, 0.3, pot * 1.1, 0.42), DARK),
        ]

    return pose


def _flower(r: Rng) -> Pose:
    petals, wide, stem, double = int(r.integers(4, 16)), r.uniform(0.7, 1.6), r.random() < 0.6, r.random() < 0.4

    def pose(p: Rng) -> list[Outline]:
        turn, y = p.uniform(0, 1), -0.35 if stem else 0.0
        size = 0.6 if stem else 0.95
        ring = [
            Outline(lens((0, y), tuple(end), wide * size * 3 / petals, pointed=0.6), MAIN)
            for end in around(0, y, size, petals, turn=turn)
        ]
        inner = [
            Outline(lens((0, y), tuple(end), wide * size * 1.5 / petals), ACCENT)
            for end in around(0, y, size * 0.6, petals, turn=turn + 0.2)
        ]
        stalk = [
            Outline(band([(0, y), (p.normal(0, 0.1), 0.4), (0, 1)], 0.07), DARK),
            Outline(lens((0, 0.7), (0.4, 0.3), 0.2), DARK),
        ]
        return [
            *(stalk if stem else []),
            *ring,
            *(inner if double else []),
            Outline(ellipse(0, y, size * 0.28, size * 0.28), SECOND),
        ]

    return pose


def _tree(r: Rng) -> Pose:
    tiers, conifer, trunk = int(r.integers(2, 5)), r.random() < 0.45, r.uniform(0.06, 0.14)

    def pose(p: Rng) -> list[Outline]:
        stem = Outline(band([(p.normal(0, 0.05), 0), (0, 1)], [trunk * 1.2, trunk * 2.2]), DARK)
        if conifer:
            ys = np.linspace(0.55, -0.55, tiers)
            return [
                stem,
                *(Outline(star(0, y - 0.1, 0.75 - 0.12 * i, 0.4, 3), (MAIN, SECOND)[i % 2]) for i, y in enumerate(ys)),
            ]
        crowns = [(p.normal(0, 0.3), p.normal(-0.35, 0.18), p.uniform(0.35, 0.6)) for _ in range(tiers + 2)]
        return [
            stem,
            *(
                Outline(blob(x, y, s, s * 0.9, harmonics(p, 0.2)), (MAIN, SECOND)[i % 2])
                for i, (x, y, s) in enumerate(crowns)
            ),
        ]

    return pose


def _mushroom(r: Rng) -> Pose:
    wide, stalk, spots = r.uniform(0.7, 1.0), r.uniform(0.12, 0.32), int(r.choice([0, 4, 7]))
    half = np.linspace(np.pi, 2 * np.pi, 30)
    cap = np.stack([wide * np.cos(half), 0.1 + r.uniform(0.5, 1.0) * np.sin(half)], axis=1)

    def pose(p: Rng) -> list[Outline]:
        dots = [
            Outline(ellipse(x, y, s, s * 0.8, 16), ACCENT)
            for x, y, s in zip(
                p.uniform(-0.6, 0.6, spots), p.uniform(-0.4, 0, spots), p.uniform(0.05, 0.12, spots), strict=True
            )
        ]
        return [
            Outline(trapezoid(0, 1, stalk, stalk * 1.4), SECOND),
            Outline(ellipse(0, 0.1, wide, 0.15), DARK),
            Outline(cap, MAIN),
            *dots,
        ]

    return pose


def _glyph(r: Rng) -> Pose:
    return fixed(_strokes(r, 1.0))


def _sign(r: Rng) -> Pose:
    corners, turn = int(r.choice([3, 4, 4, 8, 40])), float(r.choice([0.0, np.pi / 4]))
    outer, rim = regular(0, 0, 1, corners, turn - np.pi / 2), r.uniform(0.75, 0.92)
    pole = [Outline(rect(-0.06, 0.6, 0.06, 1.8), DARK)] if r.random() < 0.35 else []
    mark = [Outline(part.points, ACCENT) for part in _strokes(r, 0.45)]
    return fixed([*pole, Outline(outer, SECOND), Outline(outer * rim, MAIN), *mark])


def _sheet(r: Rng) -> Pose:
    tall, lines, picture = r.uniform(0.6, 1.4), int(r.integers(3, 10)), r.random() < 0.5
    ends, start = r.uniform(0.2, 0.85, lines), -0.1 if picture else -0.75
    text = [
        Outline(rect(-0.8, y * tall, end, y * tall + 0.06), DARK)
        for y, end in zip(np.linspace(start, 0.85, lines), ends, strict=True)
    ]
    image = (
        [Outline(rect(-0.8, -0.85 * tall, 0.8 if r.random() < 0.5 else 0.1, -0.2 * tall), SECOND)] if picture else []
    )
    return fixed([Outline(rect(-1, -tall, 1, tall), MAIN), *image, *text])


def _device(r: Rng) -> Pose:
    tall, rim, keys = r.uniform(0.5, 1.9), r.uniform(0.05, 0.15), r.random() < 0.4
    low = tall * 0.1 if keys else tall - rim * 2
    outlines = [Outline(rounded(-1, -tall, 1, tall, 9), MAIN), Outline(rect(-1 + rim, -tall + rim, 1 - rim, low), DARK)]
    shine = Outline(np.array([(-1 + rim, -tall + rim), (-0.2, -tall + rim), (-1 + rim, low * 0.5)]), SECOND)
    pad = [
        Outline(rounded(x - 0.15, y - 0.07 * tall, x + 0.15, y + 0.07 * tall), ACCENT)
        for x in (-0.55, 0, 0.55)
        for y in (0.3 * tall, 0.52 * tall, 0.74 * tall)
    ]
    return fixed([*outlines, shine, *(pad if keys else [Outline(ellipse(0, tall - rim, 0.07, 0.05), ACCENT)])])


def _dial(r: Rng) -> Pose:
    marks, rim, hands = int(r.choice([4, 8, 12])), r.uniform(0.78, 0.92), int(r.integers(1, 4))

    def pose(p: Rng) -> list[Outline]:
        ticks = [Outline(band([tuple(end * 0.85), tuple(end)], 0.07), DARK) for end in around(0, 0, rim * 0.92, marks)]
        pointers = [
            Outline(band([(0, 0), joint((0, 0), p.uniform(0, 6.3), 0.75 - 0.15 * i)], [0.1, 0.04]), ACCENT)
            for i in range(hands)
        ]
        return [
            Outline(ellipse(0, 0, 1, 1), SECOND),
            Outline(ellipse(0, 0, rim, rim), MAIN),
            *ticks,
            *pointers,
            Outline(ellipse(0, 0, 0.09, 0.09), DARK),
        ]

    return pose


def _flag(r: Rng) -> Pose:
    wave, stripes, upright = r.uniform(0.0, 0.2), int(r.integers(2, 5)), r.random() < 0.5

    def pose(p: Rng) -> list[Outline]:
        x = np.linspace(-0.85, 1, 20)
        lift = wave * np.sin(3 * x + p.uniform(0, 6)) - 0.4
        outlines = [Outline(rect(-0.95, -1, -0.85, 1), DARK)]
        for i in range(stripes):
            if upright:
                cut = slice(19 * i // stripes, 19 * (i + 1) // stripes + 1)
                edges = [np.stack([x[cut], lift[cut] + d], axis=1) for d in (-0.5, 0.5)]
            else:
                edges = [np.stack([x, lift - 0.5 + (i + d) / stripes], axis=1) for d in (0, 1)]
            outlines.append(Outline(np.concatenate([edges[0], edges[1][::-1]]), (MAIN, SECOND, ACCENT, MAIN)[i]))
        return outlines

    return pose


FAMILIES = (
    Family("potted", _potted, tilt=0.15, look="plant"),
    Family("flower", _flower, tilt=0.4, look="plant"),
    Family("tree", _tree, tilt=0.1, look="plant"),
    Family("mushroom", _mushroom, tilt=0.25, look="plant"),
    Family("glyph", _glyph, tilt=0.3, look="printed"),
    Family("sign", _sign, tilt=0.2, look="printed"),
    Family("sheet", _sheet, look="printed"),
    Family("device", _device, look="hard"),
    Family("dial", _dial, tilt=0.4, look="hard"),
    Family("flag", _flag, tilt=0.2),
)
