"""One method over its rounds: train on what is labelled, score, choose what to label next. A killed run goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from studies.selection.result import Curve, Round
from tasks.artifacts.artifact import read_artifact, write_artifact
from tasks.dataset.detections import Detections
from tasks.selection.choosing import Vectors, choose, nearest
from tasks.selection.uncertainty import photo_uncertainty

Places = npt.NDArray[np.int64]


class Scores(NamedTuple):
    """COCO's figures on the test split after a training, and how long that took."""

    mean_ap: float
    ap50: float
    train_seconds: float


class Learner(Protocol):
    """A network that is trained anew for each set of labelled photos."""

    def scores(self, labelled: Places) -> Scores:
        """On the test split, trained on `labelled`, places in the pool."""

    def detect(self, labelled: Places, photos: Places) -> list[Detections]:
        """In `photos` of the pool, by the network trained on `labelled`."""


@dataclass(frozen=True)
class Pool:
    """The photos whose labels are revealed.

    Attributes:
        names: of N photos.
        vectors: `(N, D)` of unit length.
        similar: places of pairs that are near-duplicates.
    """

    names: Sequence[str]
    vectors: Vectors
    similar: Sequence[tuple[int, int]]


def run_method(start: Curve, sizes: Sequence[int], share: float, pool: Pool, learner: Learner, file: Path) -> Curve:
    """All rounds; `file` holds those that have ended, and is read first.

    Args:
        start: the curve without a round.
        sizes: how many photos are labelled in each round.
        share: of a round's photos that are drawn at random; 1: all, as a person would who knows nothing of them.
        pool: whose labels are revealed.
        learner: is trained on them.
        file: where the rounds are kept.
    """
    curve = read_artifact(file, Curve, "rounds") if file.is_file() else start
    if not curve.rounds and not curve.next:
        first = np.random.default_rng(start.seed).permutation(len(pool.names))[: sizes[0]]
        curve = curve.model_copy(update={"next": [pool.names[place] for place in first]})
    place_of = {name: place for place, name in enumerate(pool.names)}
    for number in range(len(curve.rounds), len(sizes)):
        labelled = np.array(sorted(place_of[name] for name in curve.labelled), np.int64)
        scores = learner.scores(labelled)
        done = Round(
            labels=len(labelled),
            new=curve.next,
            mAP=scores.mean_ap,
            AP50=scores.ap50,
            train_seconds=round(scores.train_seconds, 1),
        )
        more = sizes[number + 1] - len(labelled) if number + 1 < len(sizes) else 0
        # A seed for each round; the same in all methods.
        chosen = _next(labelled, more, share, pool, learner, 1000 * start.seed + number) if more else []
        update = {"rounds": [*curve.rounds, done], "next": [pool.names[place] for place in chosen]}
        curve = curve.model_copy(update=update)
        write_artifact(file, curve)
        print(f"{curve.key}: {done.labels} labels: mAP {done.mAP:.3f}, {done.train_seconds:.0f} s", flush=True)
    return curve


def _next(labelled: Places, count: int, share: float, pool: Pool, learner: Learner, seed: int) -> list[int]:
    """Places of the photos to label next, as the command chooses them; where it finds too few, others by lot."""
    rest = np.setdiff1d(np.arange(len(pool.names)), labelled)
    by_lot = [int(place) for place in np.random.default_rng(seed).permutation(rest)]
    if share == 1.0:
        return by_lot[:count]
    known = set(labelled.tolist())
    near = {a if b in known else b for a, b in pool.similar if (a in known) != (b in known)}
    photos = np.array([place for place in rest.tolist() if place not in near], np.int64)
    at = {place: number for number, place in enumerate(photos.tolist())}
    uncertainty = np.array([photo_uncertainty(each, {}) for each in learner.detect(labelled, photos)])
    choices = choose(
        nearest(pool.vectors[photos], pool.vectors[labelled]).distances,
        pool.vectors[photos],
        uncertainty,
        count=count,
        random_share=share,
        seed=seed,
        similar=[(at[a], at[b]) for a, b in pool.similar if a in at and b in at],
    )
    chosen = [int(photos[choice.place]) for choice in choices]
    return [*chosen, *(place for place in by_lot if place not in chosen)][:count]
