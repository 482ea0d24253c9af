"""Precision, recall and F1 at IoU 0.5 from a score on, and the score where F1 is highest."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.metrics.matching import IOU_50, Matches


@dataclass(frozen=True)
class Counts:
    """Detections at or above a score that are true, those that are false, and boxes that none of them found."""

    true: int
    false: int
    missed: int

    @property
    def precision(self) -> float | None:
        """The share of detections that are true; None without any."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def recall(self) -> float | None:
        """The share of boxes that were found; None without any."""
        return self.true / (self.true + self.missed) if self.true + self.missed else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of the two; None with neither boxes nor detections."""
        total = 2 * self.true + self.false + self.missed
        return 2 * self.true / total if total else None


def counts_at(matches: Matches, score: float, class_: int | None = None) -> Counts:
    """The counts of detections at or above `score`, of one class or, with None, of all."""
    true, false, scores, boxes = _arrays_of(matches, class_)
    kept = scores >= score
    hits = int((true & kept).sum())
    return Counts(hits, int((false & kept).sum()), boxes - hits)


def best_score(matches: Matches, class_: int | None = None) -> float | None:
    """The score at which F1 is highest, of one class or of all together; None where nothing was found.

    It lies half way between the last detection that is kept and the first that is not, so that the next images' scores,
    which will not be the same to the digit, fall on the same side.
    """
    true, false, scores, boxes = _arrays_of(matches, class_)
    order = np.argsort(-scores, kind="stable")
    hits, misses = np.cumsum(true[order]), np.cumsum(false[order])
    if not len(order) or not hits[-1]:
        return None
    values = scores[order]
    f1 = 2 * hits / (hits + misses + boxes)
    last_of_its_score = np.append(values[1:] < values[:-1], True)
    best = int(np.argmax(np.where(last_of_its_score, f1, -1.0)))
    below = float(values[best + 1]) if best + 1 < len(values) else 0.0
    return (float(values[best]) + below) / 2


def _arrays_of(
    matches: Matches, class_: int | None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.float64], int]:
    own = slice(None) if class_ is None else matches.class_ == class_
    boxes = ~matches.box_ignored[0] if class_ is None else ~matches.box_ignored[0] & (matches.box_class == class_)
    hit, counted = matches.matched[0, IOU_50][own], ~matches.ignored[0, IOU_50][own]
    return hit & counted, ~hit & counted, matches.score[own], int(boxes.sum())
