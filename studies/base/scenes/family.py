"""A family of things: a grammar that draws a recipe once for each kind, and a pose each time the kind is seen."""

from collections.abc import Callable
from dataclasses import dataclass

from studies.base.scenes.outlines import Outline, Rng

Pose = Callable[[Rng], list[Outline]]


@dataclass(frozen=True)
class Family:
    """A class of the data set.

    Attributes:
        name: the class name.
        build: draws a recipe (proportions, numbers of outlines) and returns a function that draws poses of it.
        tilt: standard deviation of its lean, in radians; None: any angle.
        look: its materials: `any`, `cell` (pale, soft, see-through), `skin`, `printed` (flat), `hard` (glossy),
            `coat` (fur, feathers, scales), `plant`.
    """

    name: str
    build: Callable[[Rng], Pose]
    tilt: float | None = None
    look: str = "any"


def fixed(outlines: list[Outline]) -> Pose:
    """A thing without joints."""
    return lambda _: outlines
