"""What detections in an image say about each of its labels, and where they see something that no label covers.

The detections must be those of a network that has not learned from the image: one that has agrees with its mistakes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, area, intersection, iou
from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.detections import Detections

_Floats = npt.NDArray[np.float64]
_Names = npt.NDArray[np.str_]

# Detections with lower scores, and more of them, say nothing.
_LEAST_SCORE, _MOST_DETECTIONS = 0.02, 60
# A label this near to a detection is the same thing, whatever its class.
_SAME_FROM, _NEAR_FROM = 0.5, 0.1
# Below it, a detection is no box of a label beside it.
_UNCOVERED_BELOW = 0.4
# Scores are compared as log-odds; beyond these they differ no more.
_LEAST, _MOST = 0.01, 0.99
# Of an image's.
_LEAST_AREA = 1e-6

FEATURES, MISSING_FEATURES = 11, 4
# The columns of label_features that say how well a label is found: some classes are found less well than others.
AGREEMENT = (0, 5, 7)


@dataclass(frozen=True)
class Seen:
    """Detections in one image that count as evidence, highest score first.

    Attributes:
        boxes: `(D, 4)` XYXY_ABS in pixels.
        classes: `(D,)` names.
        scores: `(D,)` in 0..1.
    """

    boxes: Boxes
    classes: _Names
    scores: _Floats


def seen(detections: Detections) -> Seen:
    """The detections that count as evidence."""
    kept = detections.above(_LEAST_SCORE)
    return Seen(
        kept.boxes[:_MOST_DETECTIONS], np.array(kept.classes[:_MOST_DETECTIONS], str), kept.scores[:_MOST_DETECTIONS]
    )


def label_features(boxes: Boxes, classes: _Names, found: Seen, image_size: tuple[int, int]) -> _Floats:
    """`(L, FEATURES)` for `L` labels of one image: how well detections agree with each, and how large it is.

    Nine columns are log-odds: the highest score of a detection of the label's class with an IoU of at least 0.5, of
    0.7, of 0.3; of any class with an IoU of at least 0.1; of another class with 0.5; and, of detections of the label's
    class, the highest product of score and IoU, the IoU of the highest score that is near, the highest product of score
    and IoU to the third, the highest score with an IoU of at least 0.85. Two are of size, as small things are seen less
    well: the logarithm of a square's side that is as large as the label, in a square image of side 1, and its square.

    Args:
        boxes: `(L, 4)` XYXY_ABS in pixels.
        classes: `(L,)` names.
        found: the detections in the image.
        image_size: width and height in pixels.
    """
    overlap = iou(boxes, found.boxes)
    same = classes[:, None] == found.classes[None, :]

    def best(mask: npt.NDArray[np.bool_], values: _Floats) -> _Floats:
        return np.asarray(np.where(mask, values, 0.0).max(axis=1, initial=0.0))

    scores = np.broadcast_to(found.scores, overlap.shape)
    near = same & (overlap >= _NEAR_FROM)
    # Detections are in the order of their scores: the first that is near has the highest.
    first = near & (np.cumsum(near, axis=1) == 1)
    side = np.log(np.maximum(area(boxes) / (image_size[0] * image_size[1]), _LEAST_AREA)) / 2
    agreement = [
        best(same & (overlap >= _SAME_FROM), scores),
        best(same & (overlap >= 0.7), scores),
        best(same & (overlap >= 0.3), scores),
        best(overlap >= _NEAR_FROM, scores),
        best(~same & (overlap >= _SAME_FROM), scores),
        best(same, scores * overlap),
        best(first, overlap),
        best(same, scores * overlap**3),
        best(same & (overlap >= 0.85), scores),
    ]
    return np.concatenate([log_odds(np.stack(agreement, axis=1)), np.stack([side, side**2], axis=1)], axis=1)


def log_odds(probabilities: _Floats) -> _Floats:
    """log(p / (1 - p)), of numbers from 0.01 to 0.99."""
    limited = np.clip(probabilities, _LEAST, _MOST)
    return np.asarray(np.log(limited / (1.0 - limited)))


def missing_features(boxes: Boxes, found: Seen, places: npt.NDArray[np.int64]) -> _Floats:
    """`(P, MISSING_FEATURES)`: how much the detections at `places` look like things whose label is missing.

    `boxes` are the image's labels, that of the detection itself left out. The columns are the log-odds of the score,
    the highest IoU with a label, the highest share of the detection that lies in a label, and whether the image has no
    label: beside one, a detection is mostly a second box of the same thing.
    """
    own = found.boxes[places]
    return np.stack(
        [
            log_odds(found.scores[places]),
            iou(own, boxes).max(axis=1, initial=0.0),
            _shares_inside(own, boxes).max(axis=1, initial=0.0),
            np.full(len(places), float(not len(boxes))),
        ],
        axis=1,
    )


def _shares_inside(boxes: Boxes, others: Boxes) -> _Floats:
    """`(N, M)` the share of each box that lies in each of `others`."""
    return np.asarray(intersection(boxes, others) / np.maximum(area(boxes), 1e-9)[:, None])


def uncovered(image: AnnotatedImage, found: Seen) -> npt.NDArray[np.int64]:
    """The detections that no label covers, by their place, each on another thing: the highest score of several."""
    free = iou(found.boxes, image.boxes).max(axis=1, initial=0.0) < _UNCOVERED_BELOW
    # The box of a crowd stands for all that is in it.
    free &= _shares_inside(found.boxes, image.boxes[image.iscrowd]).max(axis=1, initial=0.0) < _SAME_FROM
    kept: list[int] = []
    among = iou(found.boxes, found.boxes)
    for place in np.flatnonzero(free):
        if not (among[place, kept] >= _UNCOVERED_BELOW).any():
            kept.append(int(place))
    return np.array(kept, dtype=np.int64)


def finders(image: AnnotatedImage, found: Seen) -> npt.NDArray[np.int64]:
    """`(L,)` the detection that would be left uncovered if the label were missing, by its place; -1 for none."""
    overlap = iou(image.boxes, found.boxes)
    covered = overlap >= _SAME_FROM
    first = (
        np.where(covered.any(axis=1), covered.argmax(axis=1), -1) if found.scores.size else np.full(len(overlap), -1)
    )
    return np.asarray(first, np.int64)
