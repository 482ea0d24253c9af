"""COCO's figures for detections, computed by pycocotools itself and held in memory.

Every figure is a fraction in 0..1, or None where there is no ground truth to measure against. As in COCO, a crowd box
is ignored: it need not be found, and a detection inside it is not false. `difficult` boxes count as any other.
"""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.annotation.dataset import Dataset
from tasks.annotation.detections import Detections
from tasks.errors import EvaluationError
from tasks.formats.coco import detection_rows, to_coco

# The order of COCOeval.stats, as `COCOeval.summarize` fills it.
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
# COCOeval.eval: `precision` is (iou, recall, class, area, max detections), `recall` the same without its second axis.
_ANY_AREA, _AT_MOST_100, _IOU_50 = 0, 2, 0


def coco_figures(groundtruth: Dataset, detections: Sequence[Detections]) -> dict[str, Any]:
    """The twelve COCO figures by name, and under `per_class` each class's AP, AP50 and AR100.

    `detections[i]` belongs to `groundtruth.images[i]`. With no ground truth at all every figure is None; a class that
    has ground truth and no detection has 0.

    Raises:
        EvaluationError: detections are not one entry an image, name a class the data set lacks, or are not finite.
    """
    evaluation = _evaluate(groundtruth, detections)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.summarize()
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]
    per_class = {
        name: {
            "AP": _mean(precision[:, :, k, _ANY_AREA, _AT_MOST_100]),
            "AP50": _mean(precision[_IOU_50, :, k, _ANY_AREA, _AT_MOST_100]),
            "AR100": _mean(recall[:, k, _ANY_AREA, _AT_MOST_100]),
        }
        for k, name in enumerate(groundtruth.classes)
    }
    figures = {name: _mean(value) for name, value in zip(FIGURES, evaluation.stats, strict=True)}
    return {**figures, "per_class": per_class}


def precision_recall(groundtruth: Dataset, detections: Sequence[Detections]) -> list[dict[str, Any]]:
    """Rows `class, recall, precision, score` at IoU 0.5: 101 recalls for the average, then for each class.

    `precision` is COCO's interpolated one: the best at this recall or beyond, 0 where the recall is not reached.
    `score` is the threshold that gives it, None where it is not reached and for the average, which has no one
    threshold. The average's class is `all`, or `all classes` where a class has that name. Classes without ground truth
    have no rows; no ground truth, no rows at all.

    Raises:
        EvaluationError: as `coco_figures`.
    """
    evaluation = _evaluate(groundtruth, detections)
    recalls = evaluation.params.recThrs
    precision = evaluation.eval["precision"][_IOU_50, :, :, _ANY_AREA, _AT_MOST_100]
    scores = evaluation.eval["scores"][_IOU_50, :, :, _ANY_AREA, _AT_MOST_100]
    measured = [k for k in range(len(groundtruth.classes)) if precision[0, k] >= 0]
    if not measured:
        return []
    average = "all"
    while average in groundtruth.classes:
        average += " classes"
    rows = _rows(average, recalls, precision[:, measured].mean(axis=1), np.zeros(len(recalls)))
    for k in measured:
        rows += _rows(groundtruth.classes[k], recalls, precision[:, k], scores[:, k])
    return rows


def _rows(name: str, recalls: Any, precision: Any, scores: Any) -> list[dict[str, Any]]:
    return [
        {
            "class": name,
            "recall": round(float(recall), 2),
            "precision": float(value),
            "score": float(score) if value > 0 and score > 0 else None,
        }
        for recall, value, score in zip(recalls, precision, scores, strict=True)
    ]


def _evaluate(groundtruth: Dataset, detections: Sequence[Detections]) -> Any:
    _check(groundtruth, detections)
    # pycocotools reports its progress with print().
    with contextlib.redirect_stdout(io.StringIO()):
        content = to_coco(groundtruth)
        truth = _indexed(content)
        found = _indexed({**content, "annotations": _annotations(groundtruth, detections)})
        evaluation = COCOeval(truth, found, iouType="bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


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


def _indexed(content: dict[str, Any]) -> Any:
    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    return coco


def _annotations(groundtruth: Dataset, detections: Sequence[Detections]) -> list[dict[str, Any]]:
    """What `COCO.loadRes` makes of a results file; it cannot read an empty one, and we have no file."""
    return [
        {**row, "id": number, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0}
        for number, row in enumerate(detection_rows(detections, groundtruth), start=1)
    ]


def _mean(values: npt.ArrayLike) -> float | None:
    """The mean of what was measured; pycocotools marks with -1 what was not."""
    measured = np.asarray(values, dtype=np.float64)
    measured = measured[measured > -1]
    return float(measured.mean()) if measured.size else None
