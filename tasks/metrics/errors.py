"""The kind of each mistake, and how much AP50 would rise without the mistakes of that kind.

The kinds and the order in which they are tried are those of TIDE (Bolya et al., TIDE: A General Toolbox for Identifying
Object Detection Errors, ECCV 2020), with its thresholds: a box counts as found from an IoU of 0.5 on, and below 0.1 a
detection lies on background. Crowd boxes, and detections that count neither as true nor as false, have no part in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import iou
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.metrics.average_precision import CountedDetections
from tasks.metrics.matching import FOUND_FROM, IOU_50, Matches

Kind = Literal["classification", "localisation", "both", "duplicate", "background", "missed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_TAKES_A_BOX = ("classification", "localisation")
BACKGROUND_BELOW = 0.1


@dataclass(frozen=True)
class Mistake:
    """A detection that is not true, or a box that was missed.

    Attributes:
        image: the index of its image.
        kind: what is wrong.
        detection: its index in `Matches`; -1 for a missed box.
        box: the index in `Matches` of the box that was meant, or missed; -1 where there is none.
    """

    image: int
    kind: Kind
    detection: int
    box: int


def mistakes(groundtruth: Dataset, detections: Sequence[Detections], matches: Matches) -> list[Mistake]:
    """Every false detection, whatever its score, and every missed box that no false detection was meant for.

    Image by image; `matches` are those of `groundtruth` and `detections`.
    """
    number = {name: k for k, name in enumerate(matches.classes)}
    first_box = np.searchsorted(matches.box_image, np.arange(matches.images))
    false = np.flatnonzero(~matches.matched[0, IOU_50] & ~matches.ignored[0, IOU_50])
    false = false[np.argsort(matches.image[false], kind="stable")]
    edges = np.searchsorted(matches.image[false], np.arange(matches.images + 1))
    taken = _found_boxes(matches)
    found: list[Mistake] = []
    for i, image in enumerate(groundtruth.images):
        own = false[edges[i] : edges[i + 1]]
        counted = np.flatnonzero(~image.iscrowd.astype(bool))
        boxes = counted + int(first_box[i])
        overlaps = iou(detections[i].boxes[matches.source[own]], image.boxes[counted])
        classes = np.array([number[image.classes[place]] for place in counted], dtype=np.int64)
        same = classes == matches.class_[own][:, None]
        wrong = [
            Mistake(i, kind, int(one), int(boxes[place]) if place >= 0 else -1)
            for one, (kind, place) in zip(own, map(_kind, overlaps, same), strict=True)
        ]
        meant = {mistake.box for mistake in wrong if mistake.kind in _TAKES_A_BOX}
        missed = [int(box) for box in boxes if not taken[box] and int(box) not in meant]
        found += wrong + [Mistake(i, "missed", -1, box) for box in missed]
    return found


def gains(matches: Matches, found: Sequence[Mistake]) -> dict[Kind, float | None]:
    """By how much AP50, the mean over classes, would be higher without the mistakes of each kind; None without boxes.

    A detection of a wrong class or place takes the box that it was meant for, if that is free, and else goes away;
    others go away; a missed box need not be found, and a class that has no other is perfect then.
    """
    scored = CountedDetections.of(matches, IOU_50)
    before = scored.mean_precision()
    if before is None:
        return dict.fromkeys(KINDS)
    after = {kind: _without_mistakes(matches, kind, found) for kind in KINDS}
    return {
        kind: (mended.mean_precision(int(((scored.boxes > 0) & (mended.boxes == 0)).sum())) or 0.0) - before
        for kind, mended in after.items()
    }


def _kind(overlap: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> tuple[Kind, int]:
    """A false detection's kind, and which box was meant (-1: none), from its IoU with each, of its class or not."""
    right, wrong = np.where(same, overlap, 0.0), np.where(same, 0.0, overlap)
    if BACKGROUND_BELOW <= right.max(initial=0.0) < FOUND_FROM:
        return "localisation", int(right.argmax())
    if wrong.max(initial=0.0) >= FOUND_FROM:
        return "classification", int(wrong.argmax())
    if right.max(initial=0.0) >= FOUND_FROM:
        return "duplicate", int(right.argmax())
    if overlap.max(initial=0.0) < BACKGROUND_BELOW:
        return "background", -1
    return "both", int(wrong.argmax())


def _found_boxes(matches: Matches) -> npt.NDArray[np.bool_]:
    """`(G,)`: whether a detection found the box."""
    taken = np.zeros(len(matches.box_image), dtype=bool)
    taken[matches.box[IOU_50][matches.box[IOU_50] >= 0]] = True
    return taken


def _without_mistakes(matches: Matches, kind: Kind, found: Sequence[Mistake]) -> CountedDetections:
    scored, taken = CountedDetections.of(matches, IOU_50), _found_boxes(matches)
    own = [mistake for mistake in found if mistake.kind == kind]
    if kind == "missed":
        missed = [mistake.box for mistake in own]
        scored.boxes[:] -= np.bincount(matches.box_class[missed], minlength=len(scored.boxes))
        return scored
    false = sorted(((each.detection, each.box) for each in own), key=lambda pair: -matches.score[pair[0]])
    for detection, box in false:
        scored.false[detection] = False
        if kind in _TAKES_A_BOX and not taken[box]:
            taken[box] = scored.true[detection] = True
            scored.class_[detection] = matches.box_class[box]
    return scored
