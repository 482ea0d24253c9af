"""COCO's figures for detections, as pycocotools has them.

Every figure is a fraction in 0..1, or None where there is no ground truth to measure against. As in COCO, a crowd box
is ignored: it need not be found, and a detection inside it is not false. `difficult` boxes count as any other.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.artifacts.evaluation import ClassFigures, CocoFigures
from tasks.artifacts.precision_recall import CurvePoint
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.metrics.average_precision import RECALLS, precision_at_recalls, recall
from tasks.metrics.matching import IOU_50, IOU_75, Matches, match_detections

# Places of the sizes in `AREAS`; the first is of boxes of any size.
_ANY, _SMALL, _MEDIUM, _LARGE = range(4)


def coco_figures(groundtruth: Dataset, detections: Sequence[Detections]) -> CocoFigures:
    """The twelve COCO figures, and each class's AP, AP50 and AR100.

    `detections[i]` belongs to `groundtruth.images[i]`. With no ground truth at all every figure is None; a class that
    has ground truth and no detection has 0.

    Raises:
        EvaluationError: as `match_detections`.
    """
    return figures_of(match_detections(groundtruth, detections))


def figures_of(matches: Matches) -> CocoFigures:
    """What `coco_figures` gives, from matches."""
    precision, _ = precision_at_recalls(matches)
    recall_100 = recall(matches, 100)
    return CocoFigures(
        mean_ap=_mean(precision[_ANY]),
        ap50=_mean(precision[_ANY, IOU_50]),
        ap75=_mean(precision[_ANY, IOU_75]),
        ap_small=_mean(precision[_SMALL]),
        ap_medium=_mean(precision[_MEDIUM]),
        ap_large=_mean(precision[_LARGE]),
        ar1=_mean(recall(matches, 1)[_ANY]),
        ar10=_mean(recall(matches, 10)[_ANY]),
        ar100=_mean(recall_100[_ANY]),
        ar_small=_mean(recall_100[_SMALL]),
        ar_medium=_mean(recall_100[_MEDIUM]),
        ar_large=_mean(recall_100[_LARGE]),
        per_class={
            name: ClassFigures(
                ap=_mean(precision[_ANY, :, k]),
                ap50=_mean(precision[_ANY, IOU_50, k]),
                ar100=_mean(recall_100[_ANY, :, k]),
            )
            for k, name in enumerate(matches.classes)
        },
    )


def precision_recall(groundtruth: Dataset, detections: Sequence[Detections]) -> list[CurvePoint]:
    """The curves at IoU 0.5: 101 recalls for the average, then for each class.

    `precision` is COCO's interpolated one: the best at this recall or beyond, 0 where the recall is not reached.
    `score` is the threshold that gives it, None where it is not reached and for the average, which has no one
    threshold. The average's class is `all`, or `all classes` where a class has that name. Classes without ground truth
    have no points; no ground truth, no points at all.

    Raises:
        EvaluationError: as `match_detections`.
    """
    every_precision, every_score = precision_at_recalls(match_detections(groundtruth, detections))
    precision, scores = every_precision[_ANY, IOU_50], every_score[_ANY, IOU_50]
    measured = [k for k in range(len(groundtruth.classes)) if precision[k, 0] >= 0]
    if not measured:
        return []
    average = "all"
    while average in groundtruth.classes:
        average += " classes"
    points = _points(average, precision[measured].mean(axis=0), np.zeros(len(RECALLS)))
    for k in measured:
        points += _points(groundtruth.classes[k], precision[k], scores[k])
    return points


def _points(name: str, precision: npt.NDArray[np.float64], scores: npt.NDArray[np.float64]) -> list[CurvePoint]:
    return [
        CurvePoint(
            class_=name,
            recall=round(float(reached), 2),
            precision=float(value),
            score=float(score) if value > 0 and score > 0 else None,
        )
        for reached, value, score in zip(RECALLS, precision, scores, strict=True)
    ]


def _mean(values: npt.ArrayLike) -> float | None:
    """The mean of what was measured; -1 marks what was not."""
    measured = np.asarray(values, dtype=np.float64)
    measured = measured[measured > -1]
    return float(measured.mean()) if measured.size else None
