"""Kinds of things: a family's outline with materials of its own, fixed by family and number alone.

Kind k of a family is the same thing in every run, whatever the scenes' seed and however many kinds are asked for; only
its pose, and a little of its colour, differ from time to time.
"""

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from studies.base.scenes import animals, hand_tools, people, plain_things, plants_and_prints, vehicles, vessels
from studies.base.scenes.colours import Colour, palette
from studies.base.scenes.family import Family, Pose, fixed
from studies.base.scenes.outlines import MAIN, Outline, Rng, band, blob, harmonics, lens
from studies.base.scenes.tiles import COUNT, NOISES

FAMILIES: dict[str, Family] = {
    family.name: family
    for module in (plain_things, hand_tools, vessels, animals, people, vehicles, plants_and_prints)
    for family in module.FAMILIES
}
SLOTS = 4


@dataclass(frozen=True)
class Material:
    """What one slot of a thing is made of.

    Attributes:
        colours: `(2, 3)` RGB in 0..1; the texture mixes them.
        tile: number of the texture.
        period: its period in the thing's units (a thing is about 2 long).
        amount: how much of the second colour it brings, 0..1.
        gloss: strength of the highlights.
    """

    colours: npt.NDArray[np.float32]
    tile: int
    period: float
    amount: float
    gloss: float


@dataclass(frozen=True)
class Kind:
    """One thing that can be recognised again.

    Attributes:
        family: its family's name.
        number: which of the family.
        pose: draws its outlines.
        materials: one for each slot.
        tilt: as of `Family`.
        relief: how far edges are rounded, as a share of the thing's half width; 0 is flat.
        opacity: below 1 the ground shows through.
    """

    family: str
    number: int
    pose: Pose
    materials: tuple[Material, ...]
    tilt: float | None
    relief: float
    opacity: float

    @property
    def name(self) -> str:
        """Family and number: `mug_3`."""
        return f"{self.family}_{self.number}"


@cache
def kind(family: str, number: int) -> Kind:
    """Kind `number` of a family."""
    rng = np.random.default_rng((zlib.crc32(family.encode()), number))
    grammar = FAMILIES[family]
    pose = grammar.build(rng)
    materials = tuple(_material(rng, grammar.look, colour) for colour in palette(rng, grammar.look))
    relief, opacity = _body(rng, grammar.look)
    return Kind(family, number, pose, materials, grammar.tilt, relief, opacity)


def clutter(rng: Rng) -> Kind:
    """Something that is no object: a blade, a wire, a stain, splinters. Different every time."""
    what = int(rng.integers(4))
    outlines = _CLUTTER[what](rng)
    materials = tuple(_material(rng, "any", colour) for colour in palette(rng, "any"))
    # A stain has the outline of a thing: it must not have its body too.
    stain = what == 0
    relief, opacity = (0.0, float(rng.uniform(0.25, 0.6))) if stain else (0.2, 1.0)
    return Kind("clutter", what, fixed(outlines), materials, None, relief, opacity)


def _stain(rng: Rng) -> list[Outline]:
    return [Outline(blob(0, 0, 1, rng.uniform(0.3, 1), harmonics(rng, 0.5)), MAIN)]


def _blade(rng: Rng) -> list[Outline]:
    start, end = rng.normal(0, 0.3, 2)
    return [Outline(lens((-1, start), (1, end), rng.uniform(0.05, 0.25)), MAIN)]


def _wire(rng: Rng) -> list[Outline]:
    line = np.stack([np.linspace(-1, 1, 12), np.cumsum(rng.normal(0, 0.12, 12))], axis=1)
    return [Outline(band(line, rng.uniform(0.03, 0.1)), MAIN)]


def _splinters(rng: Rng) -> list[Outline]:
    middles = rng.normal(0, 0.5, (int(rng.integers(3, 12)), 2))
    return [Outline(middle + rng.normal(0, 0.12, (3, 2)), i % 2) for i, middle in enumerate(middles)]


_CLUTTER = (_stain, _blade, _wire, _splinters)


def _body(rng: Rng, look: str) -> tuple[float, float]:
    if look == "cell":
        return rng.uniform(0.2, 0.6), rng.uniform(0.55, 0.95)
    if look == "printed":
        return rng.choice([0.0, 0.05]), 1.0
    return rng.choice([0.08, 0.3, 0.6, 0.9]), 1.0 if rng.random() < 0.93 else rng.uniform(0.5, 0.9)


def _material(rng: Rng, look: str, colour: Colour) -> Material:
    other = np.clip(colour * rng.uniform(0.35, 1.5) + rng.normal(0, 0.06, 3), 0, 1).astype(np.float32)
    mottled = look in ("cell", "skin") or rng.random() < 0.5
    amount = rng.uniform(0.05, 0.4) if mottled else rng.uniform(0.3, 1.0)
    if not mottled and rng.random() < 0.35:
        other = palette(rng, look)[0]
    gloss = {"hard": rng.uniform(0.1, 0.9), "cell": 0.1, "printed": 0.05}.get(look, rng.choice([0.0, 0.1, 0.5]))
    return Material(
        colours=np.stack([colour, other]).astype(np.float32),
        tile=int(rng.integers(NOISES) if mottled else rng.integers(NOISES, COUNT)),
        period=float(np.exp(rng.uniform(np.log(0.35), np.log(2.5)))),
        amount=float(amount),
        gloss=float(gloss),
    )
