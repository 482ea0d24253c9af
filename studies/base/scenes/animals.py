"""Families of animals: bodies with legs, wings, fins, faces."""

import numpy as np

from studies.base.scenes.family import Family, Pose
from studies.base.scenes.outlines import (
    ACCENT,
    DARK,
    MAIN,
    SECOND,
    Outline,
    Rng,
    Spot,
    arc,
    band,
    blob,
    capsule,
    ellipse,
    harmonics,
    joined,
    joint,
    lens,
    rect,
    smooth,
    spot,
    superellipse,
)


def _eye(x: float, y: float, size: float) -> list[Outline]:
    return [Outline(ellipse(x, y, size, size, 16), ACCENT), Outline(ellipse(x, y, size * 0.6, size * 0.6, 12), DARK)]


def limb(p: Rng, start: Spot, lengths: tuple[float, float], thick: float, slot: int, swing: float) -> list[Outline]:
    """Two bones; `swing` is how far the first may turn from hanging down."""
    first = p.normal(0, swing)
    knee = joint(start, first, lengths[0])
    foot = joint(knee, first + p.uniform(-0.6, 0.3) * swing, lengths[1])
    return [
        Outline(capsule(start, knee, thick, thick * 0.8), slot),
        Outline(capsule(knee, foot, thick * 0.8, thick * 0.6), slot),
    ]


def _quadruped(r: Rng) -> Pose:
    long, deep, leg = r.uniform(0.5, 0.75), r.uniform(0.22, 0.4), r.uniform(0.2, 0.5)
    head, snout, ear, neck = r.uniform(0.18, 0.3), r.uniform(0.1, 0.3), r.uniform(0.1, 0.3), r.uniform(0.1, 0.5)
    tail, thick = r.uniform(0.03, 0.12), r.uniform(0.06, 0.1)

    def pose(p: Rng) -> list[Outline]:
        lift = neck + p.normal(0, 0.12)
        x, y = long + 0.15, -deep * 0.4 - lift
        bones = (leg * 0.6, leg * 0.5)
        legs = [
            limb(p, (s * long * 0.8, deep * 0.5), bones, thick, SECOND if k else MAIN, 0.35)
            for k in (1, 0)
            for s in (-1, 1)
        ]
        curl = [
            (-long, -deep * 0.3),
            (-long - 0.25, -deep * p.uniform(-1, 2)),
            (-long - 0.35, -deep * p.uniform(-1, 3)),
        ]
        face = [
            Outline(ellipse(x + 0.05, y, head, head * 0.85), MAIN),
            Outline(ellipse(x + head * 0.8, y + 0.06, snout, snout * 0.7), SECOND),
        ]
        ears = [
            Outline(lens((x + d, y - head * 0.5), (x + d - 0.06, y - head - ear), 0.16), SECOND) for d in (-0.08, 0.1)
        ]
        body = [
            Outline(
                smooth([(-long, -deep), (long, -deep), (long + 0.1, deep * 0.7), (0, deep), (-long, deep * 0.9)], 2),
                MAIN,
            )
        ]
        throat = [Outline(capsule((long * 0.8, -deep * 0.3), (x, y), deep * 0.6, head * 0.6), MAIN)]
        back = [Outline(band(curl, [tail * 1.5, tail * 1.2, tail * 0.5]), SECOND)]
        return [
            *joined(legs[:2]),
            *back,
            *body,
            *joined(legs[2:]),
            *throat,
            *ears,
            *face,
            *_eye(x + 0.1, y - 0.05, 0.045),
        ]

    return pose


def _bird(r: Rng) -> Pose:
    fat, neck, beak, tail, leg = (
        r.uniform(0.3, 0.5),
        r.uniform(0.15, 0.7),
        r.uniform(0.15, 0.4),
        r.uniform(0.3, 0.7),
        r.uniform(0.2, 0.6),
    )

    def pose(p: Rng) -> list[Outline]:
        x, y = 0.45 + p.normal(0, 0.06), -fat * 0.4 - neck
        legs = [
            Outline(band([(d, fat * 0.6), (d + p.normal(0, 0.05), fat + leg), (d + 0.2, fat + leg)], 0.05), ACCENT)
            for d in (-0.1, 0.1)
        ]
        plume = Outline(lens((-0.3, 0), (-0.6 - tail, p.uniform(-0.4, 0.3)), 0.3), SECOND)
        body = Outline(smooth([(-0.65, -0.1), (0.1, -fat), (0.65, -0.1), (0.3, fat), (-0.3, fat * 0.8)], 2), MAIN)
        wing = Outline(lens((0.35, -0.05), (-0.6, p.uniform(-0.3, 0.25)), fat), SECOND)
        bill = Outline(np.array([(x + 0.1, y - 0.08), (x + 0.2 + beak, y + 0.03), (x + 0.1, y + 0.1)]), ACCENT)
        head = [
            Outline(capsule((0.4, -0.05), (x, y), fat * 0.4, 0.13), MAIN),
            bill,
            Outline(ellipse(x, y, 0.2, 0.18), MAIN),
        ]
        return [*legs, plume, body, wing, *head, *_eye(x + 0.06, y - 0.04, 0.04)]

    return pose


def _duck(r: Rng) -> Pose:
    deep, head, beak, tail = r.uniform(0.4, 0.6), r.uniform(0.3, 0.45), r.uniform(0.2, 0.35), r.uniform(0.2, 0.5)

    def pose(p: Rng) -> list[Outline]:
        x, y = 0.35 + p.normal(0, 0.05), -deep - head * 0.3
        body = Outline(
            smooth([(-0.9, -tail), (-0.3, -0.1), (0.6, -0.2), (0.85, 0.1), (0.5, deep), (-0.6, deep)], 2), MAIN
        )
        wing = Outline(smooth([(-0.6, 0.0), (0.25, -0.05), (0.3, deep * 0.5), (-0.2, deep * 0.7)], 2), SECOND)
        bill = Outline(superellipse(x + head, y + 0.08, beak, beak * 0.4, 2.5), ACCENT)
        return [
            body,
            wing,
            Outline(ellipse(x, y, head, head * 0.95), MAIN),
            bill,
            *_eye(x + head * 0.4, y - 0.08, 0.07),
        ]

    return pose


def _fish(r: Rng) -> Pose:
    deep, tail, fin, sharp = r.uniform(0.2, 0.55), r.uniform(0.25, 0.5), r.uniform(0.1, 0.4), r.uniform(0.6, 1.4)

    def pose(p: Rng) -> list[Outline]:
        bend = p.normal(0, 0.1)
        flap = Outline(np.array([(-0.6, 0), (-1.1, -tail + bend), (-0.9, bend), (-1.1, tail + bend)]), SECOND)
        back = Outline(smooth([(-0.4, -deep * 0.5), (0.0, -deep * 0.5 - fin), (0.3, -deep * 0.4)], 1), SECOND)
        body = Outline(lens((-0.75, bend * 0.5), (0.95, 0), 2 * deep, pointed=sharp), MAIN)
        gill = Outline(band(arc(0.45, 0, deep * 0.6, -1.2, 1.2, 12), 0.05), DARK)
        return [
            flap,
            back,
            body,
            gill,
            Outline(lens((0.3, 0.1), (-0.1, 0.3), 0.2), SECOND),
            *_eye(0.68, -deep * 0.2, 0.06),
        ]

    return pose


def _insect(r: Rng) -> Pose:
    pairs, wings, waist = int(r.choice([3, 3, 4, 6])), r.random() < 0.5, r.uniform(0.15, 0.35)
    sizes, reach = r.uniform(0.15, 0.4, 3), r.uniform(0.5, 0.9)

    def pose(p: Rng) -> list[Outline]:
        legs = []
        for y in np.linspace(-0.25, 0.4, pairs):
            for s in (-1, 1):
                knee = (s * reach * 0.6, y + p.normal(0, 0.12))
                legs.append(Outline(band([(0, y), knee, (s * reach, y + p.normal(0.1, 0.15))], 0.05), DARK))
        span = (
            [Outline(lens((0, -0.2), (s * 0.95, p.uniform(-0.5, 0.5)), 0.4), ACCENT) for s in (-1, 1)] if wings else []
        )
        feelers = [Outline(band([(0, -0.6), (s * 0.2, -0.9), (s * 0.3, -1)], 0.03), DARK) for s in (-1, 1)]
        body = [
            Outline(ellipse(0, y, w * k, w), s)
            for y, w, s, k in zip((-0.55, -0.15, 0.5), sizes, (SECOND, MAIN, MAIN), (1, 0.9, 0.8), strict=True)
        ]
        return [*legs, *feelers, Outline(rect(-waist * 0.2, -0.5, waist * 0.2, 0.4), DARK), *body, *span]

    return pose


def _worm(r: Rng) -> Pose:
    thick, waves, rings = r.uniform(0.12, 0.3), r.uniform(0.5, 1.8), int(r.integers(0, 6))

    def pose(p: Rng) -> list[Outline]:
        along = np.linspace(-1, 1, 40)
        line = np.stack([along, p.uniform(0.1, 0.5) * np.sin(np.pi * waves * along + p.uniform(0, 6))], axis=1)
        width = thick * np.clip(1.3 * np.sqrt(np.clip(1 - np.abs(along) ** 3, 0, 1)), 0.25, 1)
        spots = [Outline(spot(line[i], thick * 0.3), SECOND) for i in np.linspace(5, 34, rings).astype(int)]
        return [Outline(band(line, width), MAIN), *spots, *_eye(line[37, 0], line[37, 1] - thick * 0.15, 0.04)]

    return pose


def _crab(r: Rng) -> Pose:
    pairs, shell, claw = int(r.integers(2, 5)), r.uniform(0.4, 0.7), r.uniform(0.0, 0.35)

    def pose(p: Rng) -> list[Outline]:
        legs = []
        for angle in np.linspace(0.3, np.pi - 0.3, pairs):
            for s in (-1, 1):
                turn = angle + p.normal(0, 0.12)
                legs.append(Outline(band([(0, 0), (s * 0.95 * np.sin(turn), 0.9 * np.cos(turn))], [0.2, 0.08]), SECOND))
        arms = [Outline(ellipse(s * 0.6, -0.75, claw, claw * 0.7), SECOND) for s in (-1, 1)] if claw > 0.1 else []
        plates = [
            Outline(ellipse(x, y, 0.17, 0.15), ACCENT) for x, y in ((0, 0), (-0.25, 0.15), (0.25, 0.15), (0, -0.28))
        ]
        head = Outline(ellipse(0, -shell - 0.1, 0.16, 0.2), SECOND)
        return [*legs, *arms, head, Outline(ellipse(0, 0, shell, shell * 0.9), MAIN), *plates]

    return pose


def _animal_head(r: Rng) -> Pose:
    wide, ear, pointed, mask = r.uniform(0.6, 0.9), r.uniform(0.25, 0.6), r.random() < 0.6, r.random() < 0.6
    snout, eyes = r.uniform(0.2, 0.4), r.uniform(0.2, 0.38)

    def pose(p: Rng) -> list[Outline]:
        x = p.normal(0, 0.08)
        ears = []
        for s in (-1, 1):
            tip = (s * wide * 0.8, -0.6 - ear)
            shape = (
                lens((s * wide * 0.45, -0.3), tip, 0.5)
                if pointed
                else ellipse(s * wide * 0.7, -0.65, ear * 0.7, ear * 0.7)
            )
            ears += [Outline(shape, SECOND), Outline(shape * 0.75 + [s * wide * 0.16, -0.18], ACCENT)]
        patch = [Outline(ellipse(x + s * eyes, -0.08, 0.26, 0.2), DARK) for s in (-1, 1)] if mask else []
        nose = [Outline(ellipse(x, 0.4, snout, snout * 0.8), SECOND), Outline(ellipse(x, 0.28, 0.12, 0.08), DARK)]
        look = joined(_eye(x + s * eyes, -0.08, 0.09) for s in (-1, 1))
        return [*ears, Outline(ellipse(0, 0, wide, 0.75), MAIN), *patch, *nose, *look]

    return pose


def _jelly(r: Rng) -> Pose:
    arms, deep, waves = int(r.integers(3, 9)), r.uniform(0.4, 0.8), harmonics(r, 0.08)

    def pose(p: Rng) -> list[Outline]:
        strands = []
        for x in np.linspace(-0.6, 0.6, arms):
            line = [(x, -0.2), (x + p.normal(0, 0.15), 0.3), (x + p.normal(0, 0.25), 0.95)]
            strands.append(Outline(band(smooth(line, 0), [0.14, 0.09, 0.04]), SECOND))
        return [
            *strands,
            Outline(blob(0, -0.4, 0.85, deep * 0.75, waves), MAIN),
            Outline(ellipse(0, -0.15, 0.75, 0.15), ACCENT),
        ]

    return pose


FAMILIES = (
    Family("quadruped", _quadruped, tilt=0.2, look="coat"),
    Family("bird", _bird, tilt=0.25, look="coat"),
    Family("duck", _duck, tilt=0.2, look="hard"),
    Family("fish", _fish, tilt=0.5, look="coat"),
    Family("insect", _insect, look="coat"),
    Family("worm", _worm, look="coat"),
    Family("crab", _crab, look="coat"),
    Family("animal_head", _animal_head, tilt=0.25, look="coat"),
    Family("jelly", _jelly, tilt=0.4, look="cell"),
)
