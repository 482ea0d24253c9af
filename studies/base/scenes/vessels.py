"""Families of vessels: bodies of revolution, boxes, bags."""

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
    band,
    ellipse,
    profile,
    rect,
    rounded,
    smooth,
    superellipse,
    trapezoid,
)


def _bottle(r: Rng) -> Pose:
    body, neck, shoulder = r.uniform(0.25, 0.45), r.uniform(0.08, 0.16), r.uniform(-0.5, -0.1)
    outline = profile([-0.9, -0.6, shoulder, shoulder + 0.25, 0.9, 1], [neck, neck, neck * 1.3, body, body, body * 0.9])
    low, high = r.uniform(0.1, 0.3), r.uniform(0.5, 0.8)
    cap = Outline(rect(-neck * 1.2, -1, neck * 1.2, -0.82), ACCENT)
    return fixed([Outline(outline, MAIN), Outline(rect(-body, low, body, high), SECOND), cap])


def _jar(r: Rng) -> Pose:
    wide, lid, bulge = r.uniform(0.5, 0.8), r.uniform(0.8, 1.05), r.uniform(0.9, 1.15)
    body = profile([-0.65, -0.4, 0.2, 0.85, 0.95], [wide * 0.9, wide, wide * bulge, wide, wide * 0.9])
    label = Outline(rounded(-wide * 0.8, -0.2, wide * 0.8, 0.6, 7), SECOND)
    return fixed([Outline(body, MAIN), label, Outline(rounded(-wide * lid, -0.95, wide * lid, -0.6, 7), ACCENT)])


def _mug(r: Rng) -> Pose:
    wide, taper, flat = r.uniform(0.5, 0.65), r.uniform(0.7, 1.05), r.uniform(0.12, 0.3)
    low, high = sorted(r.uniform(-0.4, 0.6, 2))

    def pose(p: Rng) -> list[Outline]:
        side = p.choice([-1.0, 1.0]) * p.uniform(0.8, 1.05)
        handle = Outline(band(arc(side * wide, 0.05, 0.38, 0, 2 * np.pi), 0.14), SECOND)
        base = Outline(ellipse(0, 0.75, wide * taper, wide * flat), MAIN)
        wall, stripe = trapezoid(-0.7, 0.75, wide, wide * taper), trapezoid(low, high, wide * 0.97, wide * 0.9)
        top = [
            Outline(ellipse(0, -0.7, wide * k, wide * flat * k), s)
            for k, s in ((1.0, SECOND), (0.9, DARK), (0.8, ACCENT))
        ]
        return [handle, base, Outline(wall, MAIN), Outline(stripe, SECOND), *top]

    return pose


def _bowl(r: Rng) -> Pose:
    deep, flat, foot = r.uniform(0.4, 0.9), r.uniform(0.15, 0.4), r.uniform(0.2, 0.5)
    half = np.linspace(0, np.pi, 30)
    bowl = np.stack([np.cos(half), np.sin(half) ** 0.8 * deep], axis=1)
    rim = [Outline(ellipse(0, 0, 1, flat), SECOND), Outline(ellipse(0, 0.02, 0.92, flat * 0.85), ACCENT)]
    return fixed([Outline(trapezoid(deep * 0.8, deep + 0.15, foot * 0.8, foot), SECOND), Outline(bowl, MAIN), *rim])


def _vase(r: Rng) -> Pose:
    halves = np.clip(r.uniform(0.15, 0.6, 6), 0.12, 0.6)
    tops = np.linspace(-1, 1, 24)
    body = np.interp(tops, np.linspace(-1, 1, 6), halves)
    body = np.convolve(np.pad(body, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    rings = [
        Outline(rect(-h * 1.03, y, h * 1.03, y + 0.1), SECOND) for y, h in zip(tops[4:20:6], body[4:20:6], strict=True)
    ]
    return fixed([Outline(profile(tops.tolist(), body.tolist()), MAIN), *rings])


def _crate(r: Rng) -> Pose:
    front, top, tape = r.uniform(0.5, 0.8), r.uniform(0.2, 0.5), r.random() < 0.6

    def pose(p: Rng) -> list[Outline]:
        x, y = p.uniform(0.2, 0.6) * p.choice([-1, 1]), -top
        a, b, c, d = (-front, -0.5), (front, -0.5), (front, 0.9), (-front, 0.9)
        lid = Outline(np.array([a, b, (b[0] + x, b[1] + y), (a[0] + x, a[1] + y)]), SECOND)
        near, far = (b, c) if x > 0 else (a, d)
        side = Outline(np.array([near, far, (far[0] + x, far[1] + y), (near[0] + x, near[1] + y)]), DARK)
        strip = (
            [Outline(rect(-0.12, -0.5, 0.12, 0.9), ACCENT)] if tape else [Outline(rect(-0.3, -0.1, 0.3, 0.3), ACCENT)]
        )
        return [lid, side, Outline(np.array([a, b, c, d]), MAIN), *strip]

    return pose


def _bag(r: Rng) -> Pose:
    top, low, loop = r.uniform(0.45, 0.7), r.uniform(0.6, 0.95), r.uniform(0.25, 0.4)
    body = smooth([(-top, -0.45), (top, -0.45), (low, 0.95), (-low, 0.95)], 1)
    pocket = Outline(rounded(-low * 0.6, 0.2, low * 0.6, 0.8, 6), SECOND)
    return fixed([Outline(band(arc(0, -0.45, loop, np.pi, 2 * np.pi), 0.1), ACCENT), Outline(body, MAIN), pocket])


def _basket(r: Rng) -> Pose:
    top, low, rows = r.uniform(0.7, 1.0), r.uniform(0.5, 0.8), int(r.integers(3, 6))
    outlines = [
        Outline(band(arc(0, -0.2, top * 0.9, np.pi, 2 * np.pi), 0.1), SECOND),
        Outline(trapezoid(-0.2, 0.9, top, low), MAIN),
    ]
    for y in np.linspace(-0.05, 0.75, rows):
        outlines += [Outline(superellipse(x, y, 0.07, 0.07, 4), DARK) for x in np.linspace(-low * 0.85, low * 0.85, 6)]
    return fixed([*outlines, Outline(rounded(-top, -0.28, top, -0.12, 6), SECOND)])


def _lamp(r: Rng) -> Pose:
    shade, thin, base = r.uniform(0.15, 0.5), r.uniform(0.03, 0.1), r.uniform(0.25, 0.6)
    wide = r.uniform(0.5, 0.8)
    stand = [Outline(rect(-thin, -0.4, thin, 0.9), DARK), Outline(rounded(-base, 0.85, base, 1, 3), SECOND)]
    return fixed(
        [*stand, Outline(trapezoid(-1, -0.25, shade, wide), MAIN), Outline(rect(-wide, -0.3, wide, -0.22), ACCENT)]
    )


FAMILIES = (
    Family("bottle", _bottle, tilt=0.3, look="hard"),
    Family("jar", _jar, tilt=0.2, look="hard"),
    Family("mug", _mug, tilt=0.25, look="hard"),
    Family("bowl", _bowl, tilt=0.2),
    Family("vase", _vase, tilt=0.2),
    Family("crate", _crate, tilt=0.15),
    Family("bag", _bag, tilt=0.25),
    Family("basket", _basket, tilt=0.15),
    Family("lamp", _lamp, tilt=0.15),
)
