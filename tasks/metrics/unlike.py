"""Whether a batch of photos is unlike the training photos by more than chance: darker, less sharp, or of other content.

Three tests, each at a third of the rate of false alarms (Bonferroni), as Rabanser, Guennemann and Lipton advise for
batches (Failing Loudly, 2019): on features of a pretrained network, and here on light and focus too. All p values come
from the same permutations: which photos of both sets together are the batch is drawn anew. Where the batch is a draw of
the same photos, every draw is as likely, and the tests are exact for any number of photos.

- Brightness and sharpness: the mean rank of the batch (Wilcoxon, Individual comparisons by ranking methods, 1945).
- Content: each photo is compared with the nearest one of the other set. What differs by chance points everywhere; what
  differs because of another camera or another subject has a direction. The statistic is the length of the mean
  difference. A batch with more of one of the scenes in training is near to photos of that scene, and is no alarm.

A test of what differs says nothing of how much: with enough photos a trifle is certain. So light and focus are reported
only where the batch's median is outside the middle half of the training photos.

Near-duplicates, such as frames of a video, say nothing new, but would make chance look small: each counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from tasks.artifacts.training_photos import PhotoFacts

# Fewer photos are no batch; of fewer training photos it is not known how they differ among themselves.
LEAST_PHOTOS, LEAST_TRAINING_PHOTOS = 5, 20
DRAWS = 3999
LEAST_RATE, MOST_RATE = 0.001, 0.2
_TESTS = 3
# Photos nearer than this share of the 10th percentile of all distances are near-duplicates. It leaves 299, 363 and 251
# photos of three data sets; the perceptual hashes of `partition` give 301, 363 and 249 groups. A low percentile: where
# a few fixed cameras took all photos, it is of the distances within a camera.
_NEAR, _NEAR_PERCENTILE = 0.65, 10
# Equal photos are so far apart by rounding.
_SAME = 1e-3
_FAR_PERCENTILE = 95
_NOTHING = 1e-6
_AT_ONCE = 1000

Property = Literal["brightness", "sharpness", "content"]
_Floats = npt.NDArray[np.float64]
_Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PropertyTest:
    """One of the three.

    Attributes:
        property: what was compared.
        p: how likely a batch of the same photos would differ so much by chance.
        batch, training: medians of brightness and sharpness; of content, the share of photos that are further from the
            nearest training photo than 95 of 100 training photos are from each other.
        is_alarm: whether it is reported.
    """

    property: Property
    p: float
    batch: float
    training: float
    is_alarm: bool


class Comparison(NamedTuple):
    """A batch beside the training photos.

    Attributes:
        photos: how many photos of the batch were compared, near-duplicates once.
        tests: brightness, sharpness, content.
        most_unlike: places in the batch, those furthest from all training photos first.
    """

    photos: int
    tests: Sequence[PropertyTest]
    most_unlike: Sequence[int]

    @property
    def alarms(self) -> list[PropertyTest]:
        """What is reported."""
        return [test for test in self.tests if test.is_alarm]


class _Draws(NamedTuple):
    """The batch in the first row, then draws of as many photos.

    Attributes:
        places: `(1 + DRAWS, n)`, of the photos that are in it.
        members: the same as `(1 + DRAWS, photos)` bool.
    """

    places: _Places
    members: npt.NDArray[np.bool_]


def compare(training: PhotoFacts, batch: PhotoFacts, rate: float, seed: int = 0) -> Comparison | None:
    """Compare `batch` with `training`; of batches that are draws of the same photos a share of `rate` has an alarm.

    Returns:
        None where the batch has too few photos, training too few that are no near-duplicates, or a value is not finite.
    """
    if not (_is_finite(training) and _is_finite(batch)):
        return None
    if len(batch) < LEAST_PHOTOS or len(training) < LEAST_TRAINING_PHOTOS:
        return None
    near = near_distance(training)
    own, known = distinct(batch, near), training.chosen(distinct(training, near))
    # Of the batch a single one is enough: photos of one fixed camera are all near-duplicates beside other photos.
    if len(known) < LEAST_TRAINING_PHOTOS:
        return None
    new = batch.chosen(own)
    draws = _drawn(len(new), len(new) + len(known), seed)
    together = np.concatenate([new.vectors, known.vectors]).astype(np.float64)
    distances = _distances(together)
    level = rate / _TESTS
    tests = [
        _ranked("brightness", new.brightness, known.brightness, draws, level),
        _ranked("sharpness", new.sharpness, known.sharpness, draws, level),
        _of_content(together, distances, draws, level),
    ]
    furthest = np.argsort(-distances[: len(new), len(new) :].min(axis=1), kind="stable")
    return Comparison(len(new), tests, own[furthest].tolist())


def distinct(photos: PhotoFacts, near: float) -> _Places:
    """Places of photos that are further than `near` from each that is kept before them."""
    distances = _distances(photos.vectors.astype(np.float64))
    kept: list[int] = []
    for place in range(len(photos)):
        if not kept or distances[place, kept].min() > near:
            kept.append(place)
    return np.array(kept, dtype=np.intp)


def near_distance(training: PhotoFacts) -> float:
    """How near to each other near-duplicates are, for at least two training photos."""
    distances = _distances(training.vectors.astype(np.float64))
    pairs = distances[np.triu_indices(len(training), 1)]
    return max(_SAME, _NEAR * float(np.percentile(pairs, _NEAR_PERCENTILE)))


def _is_finite(photos: PhotoFacts) -> bool:
    return all(np.isfinite(array).all() for array in (photos.vectors, photos.brightness, photos.sharpness))


def _distances(vectors: _Floats) -> _Floats:
    """`(N, N)`, of each to each."""
    squares = (vectors**2).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0.0)))


def _drawn(size: int, photos: int, seed: int) -> _Draws:
    random = np.random.default_rng(seed).random((DRAWS, photos))
    places = np.concatenate([np.arange(size)[None], np.argpartition(random, size, axis=1)[:, :size]])
    members = np.zeros((len(places), photos), dtype=np.bool_)
    members[np.arange(len(places))[:, None], places] = True
    return _Draws(places, members)


def _p_value(statistics: _Floats) -> float:
    """The share of all draws, the batch among them, whose statistic is at least the batch's."""
    return float((statistics >= statistics[0] * (1 - _NOTHING) - _NOTHING**2).mean())


def _ranked(
    name: Property, batch: npt.NDArray[np.float32], training: npt.NDArray[np.float32], draws: _Draws, level: float
) -> PropertyTest:
    ranks = stats.rankdata(np.concatenate([batch, training]))
    means = draws.members.astype(np.float64) @ ranks / len(batch)
    p = _p_value(np.abs(means - ranks.mean()))
    median = float(np.median(batch))
    low, high = np.percentile(training, [25, 75])
    return PropertyTest(name, p, median, float(np.median(training)), p <= level and not low <= median <= high)


def _of_content(vectors: _Floats, distances: _Floats, draws: _Draws, level: float) -> PropertyTest:
    size = draws.places.shape[1]
    lengths = _mean_differences(vectors, distances, draws)
    p = _p_value(lengths)
    among = distances[size:, size:] + np.where(np.eye(len(vectors) - size, dtype=np.bool_), np.inf, 0.0)
    limit = np.percentile(among.min(axis=1), _FAR_PERCENTILE)
    far = float((distances[:size, size:].min(axis=1) > limit).mean())
    return PropertyTest("content", p, far, 1 - _FAR_PERCENTILE / 100, p <= level)


def _mean_differences(vectors: _Floats, distances: _Floats, draws: _Draws) -> _Floats:
    """Of each draw, the length of the mean difference between its photos and the photos nearest to them outside."""
    nearest = _neighbours(distances, draws.places.shape[1])
    lengths = [
        _lengths(vectors, nearest, _Draws(draws.places[start:end], draws.members[start:end]))
        for start in range(0, len(draws.places), _AT_ONCE)
        for end in [start + _AT_ONCE]
    ]
    return np.concatenate(lengths)


def _neighbours(distances: _Floats, size: int) -> _Places:
    """`(N, size)`: the photos nearest to each, itself left out; one of them is outside of any draw of `size`."""
    apart = distances.copy()
    np.fill_diagonal(apart, np.inf)
    return np.argsort(apart, axis=1, kind="stable")[:, :size]


def _lengths(vectors: _Floats, nearest: _Places, draws: _Draws) -> _Floats:
    rows, size = np.arange(len(draws.places))[:, None], draws.places.shape[1]
    row = np.repeat(rows[:, 0], size)
    photo = draws.places.ravel()
    partner = nearest[photo, 0]
    inside = np.flatnonzero(draws.members[row, partner])
    rank = 0
    while inside.size:
        rank += 1
        partner[inside] = nearest[photo[inside], rank]
        inside = inside[draws.members[row[inside], partner[inside]]]
    partners = np.bincount(row * len(vectors) + partner, minlength=draws.members.size).reshape(draws.members.shape)
    means = (draws.members - partners).astype(np.float64) @ vectors / size
    return np.asarray(np.sqrt((means**2).sum(axis=1)))
