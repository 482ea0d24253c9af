"""From matches to precision and recall, COCO's way: interpolated at 101 recalls, averaged over IoUs and classes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.metrics.matching import AREAS, IOUS, Matches

RECALLS = np.linspace(0.0, 1.0, 101)

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CountedDetections:
    """Which detections count as true and as false at one IoU: copies that may be changed, to see what that would gain.

    Attributes:
        class_, score: `(D,)`.
        true, false: `(D,)`; one that is neither does not count.
        boxes: `(K,)` how many there are to find.
    """

    class_: npt.NDArray[np.int64]
    score: _Floats
    true: npt.NDArray[np.bool_]
    false: npt.NDArray[np.bool_]
    boxes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, matches: Matches, iou: int) -> "CountedDetections":
        """Of boxes of any size at `IOUS[iou]`."""
        hit, ignored = matches.matched[0, iou], matches.ignored[0, iou]
        counted = matches.box_class[~matches.box_ignored[0]]
        boxes = np.bincount(counted, minlength=len(matches.classes))
        return cls(matches.class_.copy(), matches.score, hit & ~ignored, ~hit & ~ignored, boxes)

    def mean_precision(self, perfect: int = 0) -> float | None:
        """The mean over classes, and `perfect` more of 1, of the average precision; None where no class has a box."""
        each = [self._precision(k) for k, boxes in enumerate(self.boxes) if boxes > 0] + [1.0] * perfect
        return float(np.mean(each)) if each else None

    def _precision(self, k: int) -> float:
        own = np.flatnonzero(self.class_ == k)
        own = own[np.argsort(-self.score[own], kind="stable")]
        curve = _curves(self.true[own][None], self.false[own][None], int(self.boxes[k]))
        return float(_at_recalls(*curve)[0].mean())


def precision_at_recalls(matches: Matches) -> tuple[_Floats, _Floats]:
    """The interpolated precision, `(A, T, K, 101)`, and the score that gives it; -1 where a class has no box to find.

    As `COCOeval.accumulate` computes it, with at most 100 detections an image and class.
    """
    shape = (len(AREAS), len(IOUS), len(matches.classes), len(RECALLS))
    precision, scores = np.full(shape, -1.0), np.full(shape, -1.0)
    for k, (own, boxes) in enumerate(_by_class(matches)):
        for a in range(len(AREAS)):
            if boxes[a]:
                hit, counted = matches.matched[a, :, own], ~matches.ignored[a, :, own]
                curve = _curves(hit & counted, ~hit & counted, boxes[a])
                precision[a, :, k], places = _at_recalls(*curve)
                given = np.append(matches.score[own], 0.0)
                scores[a, :, k] = given[places]
    return precision, scores


def recall(matches: Matches, most: int) -> _Floats:
    """The share of boxes that the `most` best detections of an image and class find, `(A, T, K)`; -1 without boxes."""
    found = np.full((len(AREAS), len(IOUS), len(matches.classes)), -1.0)
    for k, (own, boxes) in enumerate(_by_class(matches)):
        counted = matches.rank[own] < most
        true = matches.matched[:, :, own] & ~matches.ignored[:, :, own] & counted
        for a in range(len(AREAS)):
            if boxes[a]:
                found[a, :, k] = true[a].sum(axis=-1) / boxes[a]
    return found


def _by_class(matches: Matches) -> list[tuple[slice, npt.NDArray[np.int64]]]:
    """For each class where its detections stand, and how many boxes of each size it has."""
    edges = np.searchsorted(matches.class_, np.arange(len(matches.classes) + 1))
    counts = [(~matches.box_ignored[:, matches.box_class == k]).sum(axis=1) for k in range(len(matches.classes))]
    return [(slice(edges[k], edges[k + 1]), counts[k]) for k in range(len(matches.classes))]


def _curves(true: npt.NDArray[np.bool_], false: npt.NDArray[np.bool_], boxes: int) -> tuple[_Floats, _Floats]:
    """Recall and interpolated precision after each detection, `(T, D)`."""
    true, false = np.cumsum(true, axis=1, dtype=np.float64), np.cumsum(false, axis=1, dtype=np.float64)
    precision = true / (false + true + np.spacing(1))
    return true / boxes, np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]


def _at_recalls(recalls: _Floats, precision: _Floats) -> tuple[_Floats, npt.NDArray[np.int64]]:
    """Precision at each of `RECALLS`, 0 where it is not reached, and the place in the curve, else its end."""
    places = np.stack([np.searchsorted(row, RECALLS, side="left") for row in recalls])
    padded = np.pad(precision, ((0, 0), (0, 1)))
    return np.take_along_axis(padded, places, axis=1), places
