"""How sure a detector's figures are, and which mistakes it makes: for the report, the model card and comparisons."""

from collections.abc import Sequence

import numpy as np

from tasks.artifacts.analysis import (
    Analysis,
    ApAtIou,
    ConfusionCell,
    ConfusionMatrix,
    Interval,
    MistakeCount,
    OperatingPoint,
    OperatingPoints,
    class_interval_name,
)
from tasks.artifacts.evaluation import HEADLINES
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.metrics.average_precision import precision_at_recalls
from tasks.metrics.coco import figures_of
from tasks.metrics.confusion import Confusion, confusion
from tasks.metrics.errors import KINDS, Kind, Mistake, gains, mistakes
from tasks.metrics.intervals import halves, interval, resampled_figures
from tasks.metrics.matching import IOUS, Matches
from tasks.metrics.operating import best_score, counts_at


def intervals_of(matches: Matches) -> dict[str, Interval | None]:
    """The 95 % interval of `mAP`, `AP50`, `AP75`, `AR100` and `AP of CLASS`; None where none can be given."""
    drawn = halves(matches.images)
    on_halves = resampled_figures(matches, drawn)
    carriers = carriers_of(matches)
    return {
        name: None if value is None else interval(value, on_halves[name], drawn, carriers[name])
        for name, value in named_figures(matches).items()
    }


def named_figures(matches: Matches) -> dict[str, float | None]:
    """The figures that have intervals, by the names that `resampled_figures` gives them."""
    figures = figures_of(matches)
    by_name = figures.by_name()
    per_class = {class_interval_name(name): own.ap for name, own in figures.per_class.items()}
    return {**{name: by_name[name] for name in HEADLINES}, **per_class}


def carriers_of(matches: Matches) -> dict[str, int]:
    """How many images each figure rests on: those that show its class; for a mean over classes, its rarest class."""
    counted = ~matches.box_ignored[0]
    each = [len(np.unique(matches.box_image[counted & (matches.box_class == k)])) for k in range(len(matches.classes))]
    rarest = min((count for count in each if count), default=0)
    per_class = {class_interval_name(name): count for name, count in zip(matches.classes, each, strict=True)}
    return {**dict.fromkeys(HEADLINES, rarest), **per_class}


def ap_by_iou(matches: Matches) -> list[ApAtIou]:
    """The mean AP over classes at each IoU: how it falls as boxes must fit better. Empty where there is no box."""
    precision, _ = precision_at_recalls(matches)
    return [
        ApAtIou(iou=float(iou), ap=float(of_iou[of_iou > -1].mean()))
        for iou, of_iou in zip(IOUS, precision[0], strict=True)
        if (of_iou > -1).any()
    ]


def operating_point(matches: Matches, score: float | None, class_: int | None = None) -> OperatingPoint:
    """Precision, recall and F1 from `score` on, of one class or of all; an empty point without a score."""
    if score is None:
        return OperatingPoint()
    counts = counts_at(matches, score, class_)
    return OperatingPoint(
        score=score,
        precision=counts.precision,
        recall=counts.recall,
        f1=counts.f1,
        true=counts.true,
        false=counts.false,
        missed=counts.missed,
    )


def analysis(
    groundtruth: Dataset, detections: Sequence[Detections], matches: Matches, score: float, score_origin: str = ""
) -> Analysis:
    """Intervals, operating points, confusion and mistakes.

    Args:
        groundtruth: the images that were scored.
        detections: of each image.
        matches: of both.
        score: the threshold that the model is shipped with.
        score_origin: how it was chosen, in words that follow "a score of 0.62".
    """
    names = [image.file_name for image in groundtruth.images]
    every_mistake = mistakes(groundtruth, detections, matches)
    gain_of = gains(matches, every_mistake)
    classes = dict(enumerate(matches.classes))
    return Analysis(
        by_iou=ap_by_iou(matches),
        intervals=intervals_of(matches),
        at_threshold=OperatingPoints(
            all=operating_point(matches, score),
            per_class={name: operating_point(matches, score, k) for k, name in classes.items()},
        ),
        at_best_f1=OperatingPoints(
            all=operating_point(matches, best_score(matches)),
            per_class={name: operating_point(matches, best_score(matches, k), k) for k, name in classes.items()},
        ),
        confusion=_confusion(confusion(groundtruth, detections, matches, score), names),
        mistakes={
            kind: MistakeCount(
                count=sum(each.kind == kind for each in every_mistake),
                at_threshold=_count_at_threshold(matches, every_mistake, kind, score),
                ap50_gain=gain_of[kind],
            )
            for kind in KINDS
        },
        score_origin=score_origin,
    )


def _count_at_threshold(matches: Matches, every_mistake: Sequence[Mistake], kind: Kind, score: float) -> int:
    """How many mistakes of a kind there are from `score` on; a missed box is one that no detection there finds."""
    if kind == "missed":
        return counts_at(matches, score).missed
    own = [each.detection for each in every_mistake if each.kind == kind]
    return int((matches.score[own] >= score).sum())


def _confusion(matrix: Confusion, names: Sequence[str]) -> ConfusionMatrix:
    return ConfusionMatrix(
        classes=list(matrix.classes),
        counts=matrix.counts.tolist(),
        images=[
            ConfusionCell(annotated=row, detected=column, images=[names[i] for i in own])
            for (row, column), own in sorted(matrix.images.items())
        ],
    )
