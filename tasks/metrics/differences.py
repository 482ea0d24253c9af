"""Two detectors on the same images: what differs by more than chance, and which boxes only one of them finds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tasks.artifacts.analysis import Interval
from tasks.metrics.analysis import carriers_of, named_figures
from tasks.metrics.intervals import halves, interval_of_difference, resampled_figures
from tasks.metrics.matching import IOU_50, Matches

Verdict = Literal["better", "worse", "can't tell"]


@dataclass(frozen=True)
class Difference:
    """One figure of both, and whether the second is better.

    Attributes:
        name: the figure's, as `resampled_figures` has it.
        before, after: of the first detector and of the second; None where there is nothing to measure.
        interval: where `after - before` lies for all such images, 95 %; None where it cannot be given.
    """

    name: str
    before: float | None
    after: float | None
    interval: Interval | None

    @property
    def change(self) -> float | None:
        """`after - before`; None where there is nothing to measure."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def loss(self) -> float | None:
        """`before - after`; None where there is nothing to measure."""
        return None if self.change is None else -self.change

    @property
    def verdict(self) -> Verdict:
        """See `verdict_of`."""
        return verdict_of(self.interval)


@dataclass(frozen=True)
class Flip:
    """A box that one detector finds and the other misses, each at its own threshold.

    Attributes:
        image: the index of its image.
        box: its index in that image.
        class_: its class.
        found: whether the second detector is the one that finds it.
    """

    image: int
    box: int
    class_: str
    found: bool


def verdict_of(interval: Interval | None) -> Verdict:
    """`better` or `worse` where the whole interval of a difference is on one side of zero."""
    if interval is not None and interval.low > 0:
        return "better"
    if interval is not None and interval.high < 0:
        return "worse"
    return "can't tell"


def differences(before: Matches, after: Matches) -> list[Difference]:
    """Every headline figure and every class's AP; both are measured on the same halves of the same images."""
    drawn = halves(before.images)
    first, second = resampled_figures(before, drawn), resampled_figures(after, drawn)
    figures, others = named_figures(before), named_figures(after)
    carriers = carriers_of(before)
    return [
        Difference(name, one, other, _interval(one, other, second[name] - first[name], drawn, carriers[name]))
        for name, one in figures.items()
        for other in [others[name]]
    ]


def flips(before: Matches, before_score: float, after: Matches, after_score: float) -> list[Flip]:
    """The boxes on which the two differ at IoU 0.5, in the order of the data set."""
    first, second = _is_found(before, before_score), _is_found(after, after_score)
    start = np.searchsorted(before.box_image, np.arange(before.images))
    return [
        Flip(int(image), int(box - start[image]), before.classes[before.box_class[box]], bool(second[box]))
        for box in np.flatnonzero((first != second) & ~before.box_ignored[0])
        for image in [before.box_image[box]]
    ]


def _interval(
    before: float | None,
    after: float | None,
    apart: npt.NDArray[np.float64],
    drawn: npt.NDArray[np.float64],
    images: int,
) -> Interval | None:
    return None if before is None or after is None else interval_of_difference(after - before, apart, drawn, images)


def _is_found(matches: Matches, score: float) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(matches.box_image), dtype=bool)
    boxes = matches.box[IOU_50][matches.score >= score]
    found[boxes[boxes >= 0]] = True
    return found
