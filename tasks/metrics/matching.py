"""Which detection found which box: COCO's greedy matching, for all images, classes, sizes and IoUs at once.

The rules are those of `pycocotools.cocoeval.COCOeval.evaluateImg`. Detections of one image and class choose in the
order of their scores; each takes the box with the largest IoU that is still free, a counted box before an ignored one,
and of equal IoUs the later box. Crowd boxes are ignored and never used up, and the IoU with one is the part of the
detection in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import area, to_xywh
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import EvaluationError

IOUS = np.linspace(0.5, 0.95, 10)
# Places in IOUS.
IOU_50, IOU_75 = 0, 5
# The IoU from which a box counts as found, where one IoU stands for all.
FOUND_FROM = 0.5
# By area in square pixels, both ends included: every box, small, medium, large.
AREAS = ((0.0, 1e10), (0.0, 32.0**2), (32.0**2, 96.0**2), (96.0**2, 1e10))
MOST_DETECTIONS = 100

_Ints = npt.NDArray[np.int64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Matches:
    """What was matched with what.

    A = 4 areas, T = 10 IoUs, D detections (at most 100 an image and class; by class, then by score, the highest first),
    G boxes in the order of the data set.

    Attributes:
        images: how many there are.
        classes: their names.
        image, class_, score, rank: `(D,)` of each detection; rank is its place among those of its image and class.
        source: `(D,)` its index in its image's `Detections`.
        matched: `(A, T, D)` whether it found a box.
        ignored: `(A, T, D)` whether it counts neither as true nor as false.
        box: `(T, D)` the box it found, any area; -1 for none.
        box_image, box_class: `(G,)`.
        box_ignored: `(A, G)` whether it need not be found.
    """

    images: int
    classes: tuple[str, ...]
    image: _Ints
    class_: _Ints
    score: npt.NDArray[np.float64]
    rank: _Ints
    source: _Ints
    matched: _Bools
    ignored: _Bools
    box: npt.NDArray[np.int32]
    box_image: _Ints
    box_class: _Ints
    box_ignored: _Bools


def match_detections(groundtruth: Dataset, detections: Sequence[Detections]) -> Matches:
    """Match `detections[i]` with the boxes of `groundtruth.images[i]`.

    Raises:
        EvaluationError: detections are not one entry an image, name a class the data set lacks, or are not finite.
    """
    _check(groundtruth, detections)
    number = {name: k for k, name in enumerate(groundtruth.classes)}
    boxes = _Boxes.of([(image.boxes, image.classes) for image in groundtruth.images], number)
    crowd = np.concatenate([image.iscrowd for image in groundtruth.images] or [np.zeros(0, bool)]).astype(bool)
    found = _Boxes.of([(each.boxes, each.classes) for each in detections], number)
    scores = np.concatenate([each.scores for each in detections] or [np.zeros(0)])
    rank, order = _ranked(found, scores)
    found, scores, rank = found.selected(order), scores[order], rank[order]
    box_ignored = crowd | _outside(boxes.area)
    pairs = _pairs(found, boxes, crowd)
    matched, ignored, box = _match_pairs(pairs, rank, box_ignored, crowd, len(scores))
    ignored |= ~matched & _outside(found.area)[:, None, :]
    by_class = np.lexsort((found.source, found.image, -scores, found.class_))
    return Matches(
        images=len(groundtruth.images),
        classes=groundtruth.classes,
        image=found.image[by_class],
        class_=found.class_[by_class],
        score=scores[by_class],
        rank=rank[by_class],
        source=found.source[by_class],
        matched=matched[..., by_class],
        ignored=ignored[..., by_class],
        box=box[:, by_class],
        box_image=boxes.image,
        box_class=boxes.class_,
        box_ignored=box_ignored,
    )


def _check(groundtruth: Dataset, detections: Sequence[Detections]) -> None:
    if len(detections) != len(groundtruth.images):
        raise EvaluationError(
            f"{len(detections)} lists of detections for {len(groundtruth.images)} images: some images were not scored, "
            "or those of another split were; run the evaluate stage again"
        )
    for image, found in zip(groundtruth.images, detections, strict=True):
        unknown = sorted(set(found.classes) - set(groundtruth.classes))
        if unknown:
            raise EvaluationError(
                f"{image.file_name}: detections of {unknown[0]!r}, a class the data set does not have; "
                "export the model again with this data set's label map"
            )
        if not (np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()):
            raise EvaluationError(
                f"{image.file_name}: a detection's box or score is not a finite number; the model did not train well: "
                "lower train.learning_rate"
            )


@dataclass(frozen=True)
class _Boxes:
    """Boxes of all images in a row."""

    image: _Ints
    class_: _Ints
    source: _Ints
    xywh: npt.NDArray[np.float64]
    area: npt.NDArray[np.float64]

    @classmethod
    def of(cls, each: Sequence[tuple[npt.NDArray[np.float64], Sequence[str]]], number: dict[str, int]) -> "_Boxes":
        counts = [len(names) for _, names in each]
        xyxy = np.concatenate([boxes for boxes, _ in each] or [np.zeros((0, 4))])
        return cls(
            np.repeat(np.arange(len(each)), counts),
            np.array([number[name] for _, names in each for name in names], dtype=np.int64),
            np.concatenate([np.arange(count) for count in counts] or [np.zeros(0, np.int64)]).astype(np.int64),
            to_xywh(xyxy),
            area(xyxy),
        )

    def selected(self, order: _Ints) -> "_Boxes":
        return _Boxes(self.image[order], self.class_[order], self.source[order], self.xywh[order], self.area[order])


def _ranked(found: _Boxes, scores: npt.NDArray[np.float64]) -> tuple[_Ints, _Ints]:
    """Each detection's rank by score in its image and class, and the indices of those that count, group by group."""
    order = np.lexsort((found.source, -scores, found.class_, found.image))
    starts = _starts(found.image[order], found.class_[order])
    rank = np.empty(len(scores), dtype=np.int64)
    rank[order] = np.arange(len(scores)) - np.repeat(starts, np.diff(np.append(starts, len(scores))))
    return rank, order[rank[order] < MOST_DETECTIONS]


def _starts(*keys: _Ints) -> _Ints:
    """Where a new group of equal keys begins."""
    changed = np.zeros(len(keys[0]), dtype=bool)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)


def _outside(areas: npt.NDArray[np.float64]) -> _Bools:
    """`(A, N)`: not of that size."""
    return np.stack([(areas < least) | (areas > most) for least, most in AREAS])


@dataclass(frozen=True)
class _Pairs:
    """Detection and box of one image and class that overlap enough to match, by detection and then by box."""

    found: _Ints
    box: _Ints
    iou: npt.NDArray[np.float64]


def _pairs(found: _Boxes, boxes: _Boxes, crowd: _Bools) -> _Pairs:
    width = 1 + max(found.class_.max(initial=0), boxes.class_.max(initial=0))
    key, box_key = (each.image * width + each.class_ for each in (found, boxes))
    order = np.argsort(box_key, kind="stable")
    first, last = (np.searchsorted(box_key[order], key, side) for side in ("left", "right"))
    count = last - first
    each = np.repeat(np.arange(len(key)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    box = order[np.repeat(first, count) + place]
    overlap = _iou(found, each, boxes, box, crowd)
    enough = overlap >= IOUS[0]
    return _Pairs(each[enough], box[enough], overlap[enough])


def _iou(found: _Boxes, each: _Ints, boxes: _Boxes, box: _Ints, crowd: _Bools) -> npt.NDArray[np.float64]:
    """As pycocotools rounds it: from x, y, width and height."""
    a, b = found.xywh[each], boxes.xywh[box]
    sides = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    common = np.where((sides > 0).all(axis=1), sides[:, 0] * sides[:, 1], 0.0)
    own, other = a[:, 2] * a[:, 3], b[:, 2] * b[:, 3]
    union = np.where(crowd[box], own, own + other - common)
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def _match_pairs(
    pairs: _Pairs, rank: _Ints, box_ignored: _Bools, crowd: _Bools, detections: int
) -> tuple[_Bools, _Bools, npt.NDArray[np.int32]]:
    shape = (len(AREAS), len(IOUS), detections)
    matched, ignored = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    box_of = np.full((len(IOUS), detections), -1, dtype=np.int32)
    taken = np.zeros((len(AREAS), len(IOUS), box_ignored.shape[1]), dtype=bool)
    ranks = rank[pairs.found]
    order = np.argsort(ranks, kind="stable")
    for turn in np.split(order, np.flatnonzero(np.diff(ranks[order])) + 1) if len(order) else []:
        # The detections of one rank are of different images or classes: none can take another's box.
        found, box, overlap = pairs.found[turn], pairs.box[turn], pairs.iou[turn]
        starts = _starts(found)
        free = (overlap >= IOUS[:, None]) & (~taken[..., box] | crowd[box])
        counted = _last_best(np.where(free & ~box_ignored[:, None, box], overlap, -1.0), starts)
        other = _last_best(np.where(free & box_ignored[:, None, box], overlap, -1.0), starts)
        best = np.where(counted >= 0, counted, other)
        of_area, of_iou, nth = np.nonzero(best >= 0)
        winner = best[of_area, of_iou, nth]
        one, its = found[winner], box[winner]
        taken[of_area, of_iou, its] = True
        matched[of_area, of_iou, one] = True
        ignored[of_area, of_iou, one] = box_ignored[of_area, its]
        everywhere = of_area == 0
        box_of[of_iou[everywhere], one[everywhere]] = its[everywhere]
    return matched, ignored, box_of


def _last_best(values: npt.NDArray[np.float64], starts: _Ints) -> _Ints:
    """For each run of the last axis from `starts` on: where its largest value stands last; -1 where that is -1."""
    lengths = np.diff(np.append(starts, values.shape[-1]))
    largest = np.repeat(np.maximum.reduceat(values, starts, axis=-1), lengths, axis=-1)
    places = np.where((values == largest) & (values >= 0), np.arange(values.shape[-1]), -1)
    return np.maximum.reduceat(places, starts, axis=-1)
