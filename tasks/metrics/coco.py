"""COCO's figures for detections, as pycocotools has them.

Every figure is a fraction in 0..1, or None where there is no ground truth to measure against. As in COCO, a crowd box
is ignored: it need not be found, and a detection inside it is not false. `difficult` boxes count as any other.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import EvaluationError
from tasks.metrics.average_precision import RECALLS, precision_at_recalls, recall
from tasks.metrics.matching import Matches, match

# The order of COCOeval.stats.
FIGURES = (
    "mAP",
    "AP50",
    "AP75",
    "APsmall",
    "APmedium",
    "APlarge",
    "AR1",
    "AR10",
    "AR100",
    "ARsmall",
    "ARmedium",
    "ARlarge",
)
_SIZES = ("", "small", "medium", "large")
_IOU_50, _IOU_75 = 0, 5


def coco_figures(groundtruth: Dataset, detections: Sequence[Detections]) -> dict[str, Any]:
    """The twelve COCO figures by name, and under `per_class` each class's AP, AP50 and AR100.

    `detections[i]` belongs to `groundtruth.images[i]`. With no ground truth at all every figure is None; a class that
    has ground truth and no detection has 0.

    Raises:
        EvaluationError: detections are not one entry an image, name a class the data set lacks, or are not finite.
    """
    return figures_of(matched(groundtruth, detections))


def matched(groundtruth: Dataset, detections: Sequence[Detections]) -> Matches:
    """Checked, and matched: what figures, curves and errors are taken from.

    Raises:
        EvaluationError: as `coco_figures`.
    """
    _check(groundtruth, detections)
    return match(groundtruth, detections)


def figures_of(matches: Matches) -> dict[str, Any]:
    """What `coco_figures` gives, from matches."""
    precision, _ = precision_at_recalls(matches)
    recalls = {most: recall(matches, most) for most in (1, 10, 100)}
    found = {
        "mAP": precision[0],
        "AP50": precision[0, _IOU_50],
        "AP75": precision[0, _IOU_75],
        **{f"AP{size}": precision[a] for a, size in enumerate(_SIZES) if size},
        **{f"AR{most}": values[0] for most, values in recalls.items()},
        **{f"AR{size}": recalls[100][a] for a, size in enumerate(_SIZES) if size},
    }
    per_class = {
        name: {
            "AP": _mean(precision[0, :, k]),
            "AP50": _mean(precision[0, _IOU_50, k]),
            "AR100": _mean(recalls[100][0, :, k]),
        }
        for k, name in enumerate(matches.classes)
    }
    return {**{name: _mean(found[name]) for name in FIGURES}, "per_class": per_class}


def precision_recall(groundtruth: Dataset, detections: Sequence[Detections]) -> list[dict[str, Any]]:
    """Rows `class, recall, precision, score` at IoU 0.5: 101 recalls for the average, then for each class.

    `precision` is COCO's interpolated one: the best at this recall or beyond, 0 where the recall is not reached.
    `score` is the threshold that gives it, None where it is not reached and for the average, which has no one
    threshold. The average's class is `all`, or `all classes` where a class has that name. Classes without ground truth
    have no rows; no ground truth, no rows at all.

    Raises:
        EvaluationError: as `coco_figures`.
    """
    every_precision, every_score = precision_at_recalls(matched(groundtruth, detections))
    precision, scores = every_precision[0, _IOU_50], every_score[0, _IOU_50]
    measured = [k for k in range(len(groundtruth.classes)) if precision[k, 0] >= 0]
    if not measured:
        return []
    average = "all"
    while average in groundtruth.classes:
        average += " classes"
    rows = _rows(average, precision[measured].mean(axis=0), np.zeros(len(RECALLS)))
    for k in measured:
        rows += _rows(groundtruth.classes[k], precision[k], scores[k])
    return rows


def _rows(name: str, precision: Any, scores: Any) -> list[dict[str, Any]]:
    return [
        {
            "class": name,
            "recall": round(float(reached), 2),
            "precision": float(value),
            "score": float(score) if value > 0 and score > 0 else None,
        }
        for reached, value, score in zip(RECALLS, precision, scores, strict=True)
    ]


def _check(groundtruth: Dataset, detections: Sequence[Detections]) -> None:
    if len(detections) != len(groundtruth.images):
        raise EvaluationError(
            f"{len(detections)} lists of detections for {len(groundtruth.images)} images: a part was not scored, or "
            "another part was; run the evaluate stage again"
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


def _mean(values: npt.ArrayLike) -> float | None:
    """The mean of what was measured; -1 marks what was not."""
    measured = np.asarray(values, dtype=np.float64)
    measured = measured[measured > -1]
    return float(measured.mean()) if measured.size else None
