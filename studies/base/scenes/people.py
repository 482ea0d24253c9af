"""Families of people, and of what they wear: figures, faces, hands, helmets, masks."""

import numpy as np

from studies.base.scenes.animals import limb
from studies.base.scenes.family import Family, Pose
from studies.base.scenes.outlines import (
    ACCENT,
    DARK,
    HOLE,
    MAIN,
    SECOND,
    Outline,
    Rng,
    arc,
    band,
    capsule,
    ellipse,
    joined,
    joint,
    lens,
    rect,
    rounded,
    smooth,
    spot,
    superellipse,
    trapezoid,
)


def _person(r: Rng) -> Pose:
    wide, head, thick, skirt = r.uniform(0.16, 0.26), r.uniform(0.11, 0.16), r.uniform(0.055, 0.09), r.random() < 0.3
    hair = r.uniform(0.0, 0.12)

    def pose(p: Rng) -> list[Outline]:
        swing = p.uniform(0.1, 0.7)
        legs = joined(limb(p, (s * wide * 0.5, 0.1), (0.42, 0.42), thick * 1.2, SECOND, swing * 0.5) for s in (-1, 1))
        arms = [limb(p, (s * wide, -0.48), (0.3, 0.28), thick, MAIN, swing * 1.5) for s in (-1, 1)]
        hands = [Outline(spot(arm[1].points[4], thick), ACCENT) for arm in arms]
        torso = Outline(smooth([(-wide, -0.58), (wide, -0.58), (wide * 0.8, 0.15), (-wide * 0.8, 0.15)], 1), MAIN)
        cloth = [Outline(trapezoid(0.0, 0.45, wide * 0.8, wide * 1.5), SECOND)] if skirt else []
        x = p.normal(0, 0.03)
        face = [
            Outline(ellipse(x, -0.78, head * 0.85, head), ACCENT),
            Outline(rect(x - 0.05, -0.66, x + 0.05, -0.55), ACCENT),
        ]
        top = Outline(superellipse(x, -0.78 - head * 0.5, head * 0.95, head * 0.5 + hair, 2.0), DARK)
        return [*arms[0], *legs, *cloth, torso, *arms[1], *hands, face[1], face[0], top]

    return pose


def _face(r: Rng) -> Pose:
    wide, jaw, hair, long = r.uniform(0.6, 0.8), r.uniform(0.5, 0.9), r.uniform(0.1, 0.35), r.uniform(0, 1.0)

    def pose(p: Rng) -> list[Outline]:
        x, gape = p.normal(0, 0.12), p.uniform(0.02, 0.15)
        skull = smooth(
            [
                (-wide, -0.6),
                (0, -1.05),
                (wide, -0.6),
                (wide * 0.95, 0.2),
                (wide * jaw * 0.6, 0.95),
                (-wide * jaw * 0.6, 0.95),
                (-wide * 0.95, 0.2),
            ],
            2,
        )
        mane = Outline(superellipse(0, -0.35 + long * 0.3, wide + hair, 0.75 + long * 0.45, 2.5), DARK)
        eyes = joined(
            [
                Outline(ellipse(x + s * 0.28, -0.15, 0.12, 0.07), ACCENT),
                Outline(ellipse(x + s * 0.28, -0.15, 0.05, 0.06), DARK),
            ]
            for s in (-1, 1)
        )
        brows = [Outline(band([(x + s * 0.14, -0.3), (x + s * 0.42, -0.32)], 0.05), DARK) for s in (-1, 1)]
        nose = Outline(smooth([(x, -0.15), (x + 0.12, 0.22), (x - 0.1, 0.22)], 1), SECOND)
        fringe = Outline(superellipse(0, -0.8, wide * 0.9, 0.28, 2.5), DARK)
        return [mane, Outline(skull, MAIN), fringe, *eyes, *brows, nose, Outline(ellipse(x, 0.5, 0.24, gape), SECOND)]

    return pose


def _helmet(r: Rng) -> Pose:
    brim, ridge, tall = r.uniform(0.0, 0.35), int(r.integers(0, 4)), r.uniform(0.8, 1.1)
    visor = r.random() < 0.4

    def pose(p: Rng) -> list[Outline]:
        half = np.linspace(np.pi, 2 * np.pi, 30)
        dome = np.stack([0.85 * np.cos(half), 0.45 + tall * np.sin(half)], axis=1)
        side = p.choice([-1.0, 1.0])
        peak = Outline(smooth([(-0.9, 0.38), (0.9, 0.38), (side * (0.9 + brim), 0.58), (-side * 0.9, 0.58)], 1), SECOND)
        ribs = [
            Outline(band([(x * 0.6, 0.4), (x, 0.4 - tall * 0.95)], 0.1), SECOND) for x in np.linspace(-0.3, 0.3, ridge)
        ]
        glass = [
            Outline(smooth([(side * 0.2, -0.1), (side * 0.85, -0.05), (side * 0.8, 0.4), (side * 0.1, 0.4)], 1), DARK)
        ]
        return [
            Outline(dome, MAIN),
            *ribs,
            peak,
            *(glass if visor else [Outline(ellipse(0.2 * side, 0.1, 0.12, 0.12), ACCENT)]),
        ]

    return pose


def _mask(r: Rng) -> Pose:
    folds, valve, tall = int(r.integers(0, 4)), r.random() < 0.35, r.uniform(0.4, 0.65)

    def pose(p: Rng) -> list[Outline]:
        x = p.normal(0, 0.1)
        body = smooth(
            [(-0.75, -tall), (x, -tall * 1.3), (0.75, -tall), (0.6, tall * 0.8), (x, tall * 1.3), (-0.6, tall * 0.8)], 2
        )
        straps = [
            Outline(
                band(arc(s * 0.72, 0, 0.4, np.pi / 2 - s * np.pi / 2 - 1.2, np.pi / 2 - s * np.pi / 2 + 1.2), 0.045),
                ACCENT,
            )
            for s in (-1, 1)
        ]
        creases = [
            Outline(band([(-0.66, y), (x, y + 0.08), (0.66, y)], 0.04), SECOND) for y in np.linspace(-0.25, 0.3, folds)
        ]
        return [
            *straps,
            Outline(body, MAIN),
            *creases,
            *([Outline(ellipse(0.35, 0.2, 0.15, 0.15), SECOND)] if valve else []),
        ]

    return pose


def _goggles(r: Rng) -> Pose:
    power, tall, gap, thick = r.uniform(2, 6), r.uniform(0.25, 0.45), r.uniform(0.02, 0.12), r.uniform(0.05, 0.14)

    def pose(p: Rng) -> list[Outline]:
        strap = Outline(band([(-1, p.normal(0, 0.1)), (-0.8, 0), (0.8, 0), (1, p.normal(0, 0.1))], thick), SECOND)
        rims = [Outline(superellipse(s * (0.4 + gap / 2), 0, 0.4, tall, power), MAIN) for s in (-1, 1)]
        panes = [
            Outline(superellipse(s * (0.4 + gap / 2), 0, 0.4 - thick, tall - thick, power), ACCENT) for s in (-1, 1)
        ]
        glints = [
            Outline(lens((s * 0.42 - 0.15, tall * 0.4), (s * 0.42 + 0.1, -tall * 0.5), 0.07), SECOND) for s in (-1, 1)
        ]
        return [strap, *rims, *panes, *glints]

    return pose


def _hand(r: Rng) -> Pose:
    palm, thick, long, cuff = r.uniform(0.3, 0.4), r.uniform(0.08, 0.12), r.uniform(0.4, 0.65), r.uniform(0.1, 0.4)

    def pose(p: Rng) -> list[Outline]:
        bent = p.uniform(0.4, 1.0)
        fingers = []
        for i, x in enumerate(np.linspace(-palm * 0.75, palm * 0.75, 4)):
            tip = joint(
                (x, -0.1),
                np.pi - (x * p.uniform(0.2, 1.0)),
                0.2 + long * (1 - 0.12 * abs(i - 1.4)) * p.uniform(bent, 1),
            )
            fingers.append(Outline(capsule((x, 0), tip, thick, thick * 0.85), MAIN))
        thumb = Outline(
            capsule((palm * 0.6, 0.35), (palm + p.uniform(0.1, 0.4), p.uniform(-0.2, 0.2)), 0.14, thick), MAIN
        )
        wrist = Outline(rect(-palm * 0.75, 0.5, palm * 0.75, 0.6 + cuff), SECOND)
        return [wrist, thumb, *fingers, Outline(superellipse(0, 0.25, palm, 0.42, 3.0), MAIN)]

    return pose


def _coat(r: Rng) -> Pose:
    wide, hood, long, legs = r.uniform(0.35, 0.5), r.random() < 0.4, r.uniform(0.5, 0.95), r.random() < 0.4

    def pose(p: Rng) -> list[Outline]:
        sleeves = joined(limb(p, (s * wide * 0.9, -0.5), (0.4, 0.35), 0.13, MAIN, 0.5) for s in (-1, 1))
        body = Outline(smooth([(-wide, -0.62), (wide, -0.62), (wide * 1.1, long), (-wide * 1.1, long)], 1), MAIN)
        gap = [Outline(np.array([(0, 0.45), (0.12, 1.1), (-0.12, 1.1)]), HOLE)] if legs else []
        collar = (
            [Outline(ellipse(0, -0.72, 0.25, 0.24), MAIN)]
            if hood
            else [Outline(lens((-0.2, -0.62), (0.2, -0.62), 0.2), DARK)]
        )
        zip_line = Outline(band([(0, -0.55), (0.02, long * 0.95)], 0.05), SECOND)
        pockets = [Outline(rounded(s * wide * 0.5 - 0.12, 0.1, s * wide * 0.5 + 0.12, 0.4), SECOND) for s in (-1, 1)]
        return [*sleeves, *collar, body, zip_line, *pockets, *gap]

    return pose


def _shoe(r: Rng) -> Pose:
    tall, sole, toe = r.uniform(0.2, 0.8), r.uniform(0.08, 0.2), r.uniform(0.2, 0.4)
    body = smooth([(-0.9, -tall), (-0.3, -tall), (0.0, -0.15), (0.9, 0.1), (0.98, 0.4), (-0.95, 0.4)], 1)
    laces = [Outline(band([(x, -0.1 + x * 0.3), (x + 0.18, -0.25 + x * 0.3)], 0.05), ACCENT) for x in (-0.1, 0.1, 0.3)]
    cap = Outline(ellipse(0.75, 0.28, toe * 0.8, 0.18), SECOND)
    return lambda _: [Outline(body, MAIN), cap, Outline(rounded(-0.98, 0.35, 1, 0.35 + sole, 5), SECOND), *laces]


FAMILIES = (
    Family("person", _person, tilt=0.15, look="skin"),
    Family("face", _face, tilt=0.2, look="skin"),
    Family("helmet", _helmet, tilt=0.25, look="hard"),
    Family("mask", _mask, tilt=0.3),
    Family("goggles", _goggles, tilt=0.3, look="hard"),
    Family("hand", _hand, look="skin"),
    Family("coat", _coat, tilt=0.2),
    Family("shoe", _shoe, tilt=0.4),
)
