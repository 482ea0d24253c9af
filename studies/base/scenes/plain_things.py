"""Families of single bodies: stones, plates, fruit, leaves, gears, rings, cells."""

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
    blob,
    capsule,
    ellipse,
    gear,
    harmonics,
    lens,
    rect,
    regular,
    spot,
    star,
    superellipse,
)


def _stone(r: Rng) -> Pose:
    rough, tall, bands = r.uniform(0.08, 0.3), r.uniform(0.5, 1.0), int(r.integers(0, 3))

    def pose(p: Rng) -> list[Outline]:
        waves = harmonics(p, rough)
        vein = [
            Outline(band([(-0.9, y), (0, y + 0.1), (0.9, y - 0.1)], 0.06), SECOND) for y in p.uniform(-0.2, 0.2, bands)
        ]
        return [Outline(blob(0, 0, 0.95, tall, waves), MAIN), *vein]

    return pose


def _tile(r: Rng) -> Pose:
    power, tall, rim = r.uniform(2.5, 8), r.uniform(0.4, 1.0), r.uniform(0.7, 0.92)
    outlines = [
        Outline(superellipse(0, 0, 1, tall, power), SECOND),
        Outline(superellipse(0, 0, rim, tall * rim, power), MAIN),
    ]
    inner = superellipse(0, 0, rim * 0.5, tall * rim * 0.5, r.uniform(1, 3))
    return fixed([*outlines, Outline(inner, ACCENT)] if r.random() < 0.6 else outlines)


def _splat(r: Rng) -> Pose:
    lobes, depth = int(r.integers(5, 11)), r.uniform(0.2, 0.5)

    def pose(p: Rng) -> list[Outline]:
        angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        radius = 0.75 * (
            1 + depth * np.cos(lobes * angle + p.uniform(0, 6)) + 0.1 * np.cos(2 * angle + p.uniform(0, 6))
        )
        drops = [Outline(spot(p.uniform(-0.95, 0.95, 2), p.uniform(0.04, 0.1)), MAIN) for _ in range(3)]
        return [*drops, Outline(around(0, 0, radius, 64), MAIN), Outline(around(0, 0, radius * 0.4, 64), SECOND)]

    return pose


def _crescent(r: Rng) -> Pose:
    start, width, power = r.uniform(0.3, 1.1), r.uniform(0.25, 0.55), r.uniform(0.6, 1.4)
    line = arc(0, 0, 0.75, start, 2 * np.pi - start, 30)
    shape = np.sin(np.linspace(0.03, np.pi - 0.03, 30)) ** power
    inner = band(line, width * 0.3 * shape)
    return fixed([Outline(band(line, width * shape), MAIN), *([Outline(inner, SECOND)] if r.random() < 0.5 else [])])


def _fruit(r: Rng) -> Pose:
    tall, taper, leaf = r.uniform(0.6, 1.1), r.uniform(-0.35, 0.35), r.random() < 0.7
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    body = np.stack([np.cos(angle) * (0.75 + taper * np.sin(angle)), np.sin(angle) * tall], axis=1)
    body[:, 1] += r.uniform(0, 0.25) * np.exp(-((angle - 1.5 * np.pi) ** 2) * 8)
    stem = Outline(band([(0, -tall * 0.8), (0.06, -tall - 0.25)], 0.08), DARK)
    leaves = [Outline(lens((0.03, -tall), (0.5, -tall - 0.2), 0.22), ACCENT)] if leaf else []
    return fixed([stem, Outline(body, MAIN), *leaves])


def _leaf(r: Rng) -> Pose:
    width, pointed, lobes = r.uniform(0.5, 1.1), r.uniform(0.6, 1.5), int(r.choice([0, 0, 5, 9, 14]))
    veins = int(r.integers(3, 7))

    def pose(p: Rng) -> list[Outline]:
        along, bend = np.linspace(0, 1, 61), p.normal(0, 0.2)
        line = np.stack([2 * along - 1, bend * (1 - (2 * along - 1) ** 2)], axis=1)
        half = (
            width * np.sin(np.pi * along) ** pointed * (1 + (0.25 * np.cos(2 * np.pi * lobes * along) if lobes else 0))
        )
        side = np.concatenate([line, (line + np.stack([0 * along, half / 2], axis=1))[::-1]])
        nerves = [Outline(band(line, 0.045), SECOND), Outline(band([(-1.3, -bend), tuple(line[1])], 0.06), SECOND)]
        for i in np.linspace(8, 44, veins).astype(int):
            for sign in (-1, 1):
                tip = line[i + 12] + [0, sign * half[i + 12] * 0.42]
                nerves.append(Outline(band([tuple(line[i]), tuple(tip)], 0.025), SECOND))
        return [Outline(band(line, half), MAIN), Outline(side, ACCENT), *nerves]

    return pose


def _plate(r: Rng) -> Pose:
    corners, turn, rim = int(r.integers(3, 9)), r.uniform(0, 1), r.uniform(0.72, 0.9)
    outlines = [Outline(regular(0, 0, 1, corners, turn), SECOND), Outline(regular(0, 0, rim, corners, turn), MAIN)]
    bolts = [Outline(ellipse(x, y, 0.07, 0.07, 12), DARK) for x, y in regular(0, 0, rim * 0.8, corners, turn)]
    middle = [Outline(regular(0, 0, r.uniform(0.2, 0.4), int(r.integers(3, 9))), int(r.choice([ACCENT, HOLE])))]
    return fixed(outlines + (bolts if r.random() < 0.6 else []) + (middle if r.random() < 0.7 else []))


def _badge(r: Rng) -> Pose:
    points, inner, turn = int(r.integers(4, 12)), r.uniform(0.35, 0.8), r.uniform(0, 1)
    shrunk = r.uniform(0.5, 0.8)
    outlines = [
        Outline(star(0, 0, 1, inner, points, turn), MAIN),
        Outline(star(0, 0, shrunk, inner * shrunk, points, turn), SECOND),
    ]
    return fixed([*outlines, Outline(ellipse(0, 0, 0.25, 0.25), ACCENT)])


def _gear(r: Rng) -> Pose:
    teeth, depth, spokes = int(r.integers(7, 18)), r.uniform(0.1, 0.25), int(r.integers(0, 6))
    outlines = [Outline(gear(0, 0, 1, depth, teeth), MAIN), Outline(ellipse(0, 0, 0.6, 0.6), SECOND)]
    outlines += (
        [Outline(ellipse(x, y, 0.16, 0.16, 20), HOLE) for x, y in around(0, 0, 0.42, spokes)] if spokes > 2 else []
    )
    return fixed([*outlines, Outline(ellipse(0, 0, r.uniform(0.1, 0.22), 0.16), HOLE)])


def _cross(r: Rng) -> Pose:
    arms, width, tip = int(r.integers(3, 7)), r.uniform(0.2, 0.45), r.uniform(0.6, 1.6)
    outlines = [
        Outline(band([(0, 0), tuple(end)], [width, width * tip]), MAIN)
        for end in around(0, 0, 0.95, arms, turn=-np.pi / 2)
    ]
    return fixed([*outlines, Outline(ellipse(0, 0, width * 0.8, width * 0.8), SECOND)])


def _arrow(r: Rng) -> Pose:
    head, shaft, tail = r.uniform(0.4, 0.8), r.uniform(0.12, 0.35), r.uniform(0, 0.4)
    points = [(-1 + tail, 0), (-1, -shaft), (1 - head, -shaft), (1 - head, -0.7), (1, 0), (1 - head, 0.7)]
    outline = np.array([*points, (1 - head, shaft), (-1, shaft)])
    return fixed([Outline(outline, MAIN), Outline(outline * [0.75, 0.6], SECOND)])


def _bolt(r: Rng) -> Pose:
    steps, width, lean = int(r.integers(3, 7)), r.uniform(0.15, 0.4), r.uniform(0.3, 0.8)
    line = [((-1) ** i * lean * 0.5, -1 + 2 * i / steps) for i in range(steps + 1)]
    return fixed([Outline(band(line, width), MAIN), Outline(band(line, width * 0.4), SECOND)])


def _frame(r: Rng) -> Pose:
    power, tall, thick = r.choice([2.0, 4.0, 9.0]), r.uniform(0.5, 1.2), r.uniform(0.08, 0.3)
    outer, inner = superellipse(0, 0, 1, tall, power), superellipse(0, 0, 1 - thick, tall - thick, power)
    middle = superellipse(0, 0, 1 - thick / 2, tall - thick / 2, power)
    return fixed([Outline(outer, MAIN), Outline(middle, SECOND), Outline(inner, int(r.choice([HOLE, HOLE, ACCENT])))])


def _ring(r: Rng) -> Pose:
    thick, stones = r.uniform(0.12, 0.45), int(r.choice([0, 0, 1, 8, 12]))
    outlines = [Outline(ellipse(0, 0, 1, 1), MAIN), Outline(ellipse(0, 0, 1 - thick, 1 - thick), HOLE)]
    size = thick * (0.8 if stones == 1 else 0.35)
    gems = [Outline(regular(x, y, size, 6), ACCENT) for x, y in around(0, 0, 1 - thick / 2, stones)] if stones else []
    return fixed(outlines + gems)


def _red_cell(r: Rng) -> Pose:
    rough, pale, fade = r.uniform(0.02, 0.09), r.uniform(0.3, 0.6), int(r.integers(1, 4))

    def pose(p: Rng) -> list[Outline]:
        waves = harmonics(p, rough)
        inner = [Outline(blob(0.05, 0, pale * k, pale * k, waves), SECOND) for k in np.linspace(1, 0.5, fade)]
        return [Outline(blob(0, 0, 0.95, p.uniform(0.8, 0.95), waves), MAIN), *inner]

    return pose


def _white_cell(r: Rng) -> Pose:
    lobes, spread, speckles = int(r.integers(1, 5)), r.uniform(0.15, 0.35), int(r.choice([0, 12]))

    def pose(p: Rng) -> list[Outline]:
        spots = [Outline(spot(p.uniform(-0.6, 0.6, 2), 0.05), ACCENT) for _ in range(speckles)]
        middle = around(0, 0, spread, lobes, turn=p.uniform(0, 6))
        nuclei = [Outline(blob(x, y, 0.42, 0.36, harmonics(p, 0.15)), DARK) for x, y in middle]
        return [Outline(blob(0, 0, 0.95, 0.9, harmonics(p, 0.06)), MAIN), *spots, *nuclei]

    return pose


def _clump(r: Rng) -> Pose:
    count, size = int(r.integers(3, 9)), r.uniform(0.25, 0.5)

    def pose(p: Rng) -> list[Outline]:
        bodies = [(*p.normal(0, 0.4, 2), p.uniform(0.6, 1.2) * size) for _ in range(count)]
        return [Outline(ellipse(x, y, s, s * 0.9, 20), slot) for x, y, s in bodies for slot in (MAIN,)] + [
            Outline(ellipse(x - s * 0.2, y - s * 0.2, s * 0.4, s * 0.4, 16), SECOND) for x, y, s in bodies
        ]

    return pose


def _pill(r: Rng) -> Pose:
    thick, cut = r.uniform(0.2, 0.45), r.uniform(-0.2, 0.3)
    end = 1 - thick
    outlines = [
        Outline(capsule((-end, 0), (end, 0), thick, thick), MAIN),
        Outline(capsule((cut, 0), (end, 0), thick, thick), SECOND),
    ]
    return fixed([*outlines, Outline(rect(cut - 0.04, -thick, cut + 0.04, thick), ACCENT)])


FAMILIES = (
    Family("stone", _stone, look="hard"),
    Family("tile", _tile),
    Family("splat", _splat),
    Family("crescent", _crescent),
    Family("fruit", _fruit, tilt=0.6, look="plant"),
    Family("leaf", _leaf, look="plant"),
    Family("plate", _plate, look="hard"),
    Family("badge", _badge),
    Family("gear", _gear, look="hard"),
    Family("cross", _cross),
    Family("arrow", _arrow, look="printed"),
    Family("bolt", _bolt),
    Family("frame", _frame),
    Family("ring", _ring, look="hard"),
    Family("red_cell", _red_cell, look="cell"),
    Family("white_cell", _white_cell, look="cell"),
    Family("clump", _clump, look="cell"),
    Family("pill", _pill, look="hard"),
)
