"""The choice: photos that the detector is unsure of and that are unlike all labelled and all chosen ones.

The core set of Sener and Savarese (Active Learning for Convolutional Neural Networks: A Core-Set Approach, ICLR 2018,
arXiv:1708.00489): the labelled photos are the first centres, and the photo that is farthest from its nearest centre
becomes the next one. Distances are weighted by uncertainty, which is the same greedy choice for the weighted k-centre
problem (Dyer and Frieze, A simple heuristic for the p-centre problem, Operations Research Letters 3, 1985).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from tasks.artifacts.suggestions import Reason

# Weights go from this to 1: the photo that the model is surest of is chosen before the one that it is least sure of
# only where it is twice as far from all labelled ones. Uncertainty alone takes many photos of one kind.
LEAST_WEIGHT = 0.5
_BLOCK = 1024

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """A chosen photo: its place among the candidates, and whether it was chosen as unsure, unlike or at random."""

    place: int
    reason: Reason


def choose(
    distances: Floats,
    candidates: Vectors,
    uncertainty: Floats,
    *,
    count: int,
    random_share: float,
    seed: int,
    similar: Iterable[tuple[int, int]] = (),
) -> list[Choice]:
    """Up to `count` of C candidates in the order to label them; the same arguments give the same choice.

    The random ones are drawn first, so that the rest has no part in them, and are spread evenly over the list.

    Args:
        distances: `(C,)` of each candidate to the nearest labelled photo, as `nearest` gives them.
        candidates: `(C, D)` vectors of unit length.
        uncertainty: `(C,)` of each candidate, from 0.
        count: how many are wanted; fewer are given where no more are left.
        random_share: of `count`, in 0..1.
        seed: of what is random.
        similar: places of pairs of which only one may be chosen.
    """
    if not len(candidates) == len(distances) == len(uncertainty):
        raise ValueError(f"expected {len(candidates)} of each, got {len(distances)} and {len(uncertainty)}")
    pool = _Pool(distances, candidates, _neighbours(similar))
    drawn: list[Choice] = []
    wanted = round(min(count, len(candidates)) * random_share)
    for place in np.random.default_rng(seed).permutation(len(candidates)):
        if len(drawn) < wanted and pool.free[place]:
            pool.take(int(place))
            drawn.append(Choice(int(place), "random"))
    weights = LEAST_WEIGHT + (1.0 - LEAST_WEIGHT) * _quantiles(uncertainty)
    others: list[Choice] = []
    while len(drawn) + len(others) < count and pool.free.any():
        place = int(np.argmax(np.where(pool.free, weights * pool.distances, -1.0)))
        others.append(Choice(place, _reason(place, uncertainty, pool)))
        pool.take(place)
    return _spread(others, drawn)


class Nearest(NamedTuple):
    """Of each candidate `(C,)`: the Euclidean distance, 0..2, to the nearest labelled photo, and the place of that."""

    distances: Floats
    places: npt.NDArray[np.int64]


def nearest(candidates: Vectors, labelled: Vectors) -> Nearest:
    """The nearest of `(L, D)` vectors, at least one, to each of `(C, D)`; all are of unit length."""
    starts = range(0, len(candidates), _BLOCK)
    places = [(candidates[start : start + _BLOCK] @ labelled.T).argmax(axis=1) for start in starts]
    at = np.concatenate([np.zeros(0, np.int64), *places])
    return Nearest(_distances((candidates * labelled[at]).sum(axis=1)), at)


class _Pool:
    """The candidates, those that may still be chosen, and how far each is from what is labelled or chosen."""

    def __init__(self, distances: Floats, candidates: Vectors, neighbours: dict[int, set[int]]) -> None:
        self.distances = distances.copy()
        self.free = np.ones(len(candidates), bool)
        self._candidates, self._neighbours = candidates, neighbours

    def take(self, place: int) -> None:
        self.free[[place, *self._neighbours[place]]] = False
        self.distances = np.minimum(self.distances, _distances(self._candidates @ self._candidates[place]))


def _distances(cosines: Vectors) -> Floats:
    return np.sqrt(np.maximum(2.0 - 2.0 * cosines.astype(np.float64), 0.0))


def _neighbours(similar: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    neighbours: defaultdict[int, set[int]] = defaultdict(set)
    for first, second in similar:
        neighbours[first].add(second)
        neighbours[second].add(first)
    return neighbours


def _quantiles(values: Floats) -> Floats:
    """Ranks in 0..1, equal for equal values: sums of entropies have no upper end, and a crowd has a hundred boxes."""
    return np.asarray((rankdata(values) - 0.5) / max(len(values), 1))


def _reason(place: int, uncertainty: Floats, pool: _Pool) -> Reason:
    """What the photo stands out by more, among those that are left."""
    unsure = np.mean(uncertainty[pool.free] < uncertainty[place])
    unlike = np.mean(pool.distances[pool.free] < pool.distances[place])
    return "unsure" if unsure > unlike else "unlike"


def _spread(others: Sequence[Choice], drawn: Sequence[Choice]) -> list[Choice]:
    """Both in their order; of the first photos of the list the same share is random as of all."""
    total = len(others) + len(drawn)
    at = {(number + 1) * total // len(drawn) - 1 for number in range(len(drawn))}
    rest, random = iter(others), iter(drawn)
    return [next(random) if place in at else next(rest) for place in range(total)]
