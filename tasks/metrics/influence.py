"""How much each box and each detection raises or lowers the average precision of its class.

The influence of one thing is the derivative of average precision by its weight, times the number of boxes of its class
(the infinitesimal jackknife: Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 6). Average
precision is a function of shares alone, so the influences of a class add up to 0. Those of any part of the test images
add up to about how much better the part is than the whole, times its boxes: what a test of the part needs, without
measuring average precision anew for each of thousands of permutations.

Precision here is averaged over every recall that is reached, not over COCO's 101: the difference is below 0.01.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.metrics.matching import IOUS, Matches

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Influences:
    """The influence of everything that counts, in boxes; what is ignored has 0.

    Attributes:
        detection: `(T, D)` at each IoU.
        box: `(G,)` the mean over IoUs.
    """

    detection: _Floats
    box: _Floats


def influences(matches: Matches) -> Influences:
    """The influence of each detection and each box, of boxes of any size."""
    hit, counted = matches.matched[0], ~matches.ignored[0]
    detection = np.zeros((len(IOUS), len(matches.score)))
    box = np.zeros(len(matches.box_image))
    for k in range(len(matches.classes)):
        own = matches.class_ == k
        boxes = (matches.box_class == k) & ~matches.box_ignored[0]
        if boxes.any():
            detection[:, own], found = _of_class(hit[:, own] & counted[:, own], ~hit[:, own] & counted[:, own])
            box[boxes] = -found.mean() / boxes.sum()
    return Influences(detection, box)


def by_image(matches: Matches, detection: _Floats, box: _Floats) -> _Floats:
    """Sums by image and class, `(images, K)`, of values of the detections, `(D,)`, and of the boxes, `(G,)`."""
    classes = len(matches.classes)
    size = matches.images * classes
    of_detections = np.bincount(matches.image * classes + matches.class_, detection, size)
    of_boxes = np.bincount(matches.box_image * classes + matches.box_class, box, size)
    return np.asarray(of_detections + of_boxes, np.float64).reshape(matches.images, classes)


def _of_class(true: _Bools, false: _Bools) -> tuple[_Floats, _Floats]:
    """Of detections by score, `(T, D)`: their influence, and the precision summed over those that are true, `(T,)`."""
    hits, misses = np.cumsum(true, axis=1), np.cumsum(false, axis=1)
    number = np.maximum(hits + misses, 1)
    precision = hits / number
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # Where the best precision from here on is reached: what counts up to there changes it.
    places = np.where(precision == best, np.arange(true.shape[1]), true.shape[1])
    reached = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
    steps = np.zeros(true.shape)
    for t in range(len(true)):
        steps[t] = np.bincount(reached[t, true[t]], minlength=true.shape[1])
    gained, lost = (_sum_from_here(steps * rate / number) for rate in (1 - precision, precision))
    return np.where(true, best + gained, np.where(false, -lost, 0.0)), np.where(true, best, 0.0).sum(axis=1)


def _sum_from_here(values: _Floats) -> _Floats:
    """The sum of each value and those after it, along the last axis."""
    return np.asarray(np.cumsum(values[:, ::-1], axis=1)[:, ::-1])
