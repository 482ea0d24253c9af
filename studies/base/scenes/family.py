"""What a family of things is: a grammar that draws a recipe once for each kind, and a pose for each time it is seen."""

from collections.abc import Callable
from dataclasses import dataclass

from studies.base.scenes.outlines import Part, Rng

Pose = Callable[[Rng], list[Part]]


@dataclass(frozen=True)
class Family:
    """A class of the data set.

    Attributes:
        name: the class name.
        build: draws a recipe (proportions, numbers of parts) and gives what draws poses of it.
        tilt: standard deviation of how far it leans, in radians; None: it lies any way round.
        look: what it is made of: `any`, `cell` (pale, soft, see-through), `skin`, `printed` (flat), `hard` (glossy),
            `coat` (fur, feathers, scales), `plant`.
    """

    name: str
    build: Callable[[Rng], Pose]
    tilt: float | None = None
    look: str = "any"


def fixed(parts: list[Part]) -> Pose:
    """A thing without joints."""
    return lambda _: parts
