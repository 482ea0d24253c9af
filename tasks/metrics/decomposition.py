"""How much of a difference between two detectors each of two factors explains: the data, and the params.

Two factors make four detectors, which are all measured on the same images:

    before          old data, old params
    new_data        new data, old params
    new_params      old data, new params
    after           new data, new params

With `new_data` alone the data come first: what they bring with the old params, and what the params bring after that.
With both detectors in between each part is the mean over the two orders (its Shapley value: Shapley, A Value for
n-Person Games, 1953). Either way the parts add up to the whole difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.artifacts.analysis import Interval
from tasks.metrics.analysis import carriers_of, named_figures
from tasks.metrics.differences import Verdict, verdict_of
from tasks.metrics.intervals import halves, interval_of_difference, resampled_figures
from tasks.metrics.matching import Matches

_Floats = npt.NDArray[np.float64]
# What each detector counts in a part, in the order before, after, new_data, new_params.
_DATA_FIRST = {"data": (-1.0, 0.0, 1.0), "params": (0.0, 1.0, -1.0)}
_MEAN_OF_BOTH = {"data": (-0.5, 0.5, 0.5, -0.5), "params": (-0.5, 0.5, -0.5, 0.5)}


@dataclass(frozen=True)
class Part:
    """What one factor explains of the difference of one figure.

    Attributes:
        change: the part; all parts of a figure add up to its whole difference.
        interval: where it lies for all such images, 95 %; None where it cannot be given.
    """

    change: float
    interval: Interval | None

    @property
    def verdict(self) -> Verdict:
        """See `verdict_of`."""
        return verdict_of(self.interval)


@dataclass(frozen=True)
class FigureParts:
    """One figure's difference, and its parts.

    Attributes:
        name: the figure's, as `resampled_figures` has it.
        whole: the figure after, less the figure before.
        data, params: the parts.
        data_first: what the data bring with the old params.
        data_last: what they bring with the new params; None where that was not measured.
    """

    name: str
    whole: float
    data: Part
    params: Part
    data_first: float
    data_last: float | None


def decompose(
    before: Matches, after: Matches, new_data: Matches, new_params: Matches | None = None
) -> list[FigureParts]:
    """The parts of every headline figure and every class's AP; figures without anything to measure are left out.

    All are matches on the same images and boxes. They are measured on the same halves of these images, so that what all
    detectors find hard cancels out of a part, as it does of a difference.
    """
    detectors = [before, after, new_data, *([new_params] if new_params else [])]
    drawn = halves(before.images)
    on_halves = [resampled_figures(each, drawn) for each in detectors]
    figures = [named_figures(each) for each in detectors]
    carriers = carriers_of(before)
    found = []
    for name in figures[0]:
        values = [own[name] for own in figures]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            found.append(_parts(name, known, [own[name] for own in on_halves], drawn, carriers[name]))
    return found


def _parts(
    name: str, values: Sequence[float], on_halves: Sequence[_Floats], drawn: _Floats, carriers: int
) -> FigureParts:
    weights = _MEAN_OF_BOTH if len(values) == len(_MEAN_OF_BOTH["data"]) else _DATA_FIRST

    def part(factor: str) -> Part:
        change = sum(weight * value for weight, value in zip(weights[factor], values, strict=True))
        apart = sum(weight * own for weight, own in zip(weights[factor], on_halves, strict=True))
        return Part(change, interval_of_difference(change, np.asarray(apart), drawn, carriers))

    before, after, new_data, *new_params = values
    return FigureParts(
        name,
        after - before,
        part("data"),
        part("params"),
        new_data - before,
        after - new_params[0] if new_params else None,
    )
