"""What the report and a comparison need of a detector on a part of the data, beyond COCO's figures, as plain values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.metrics.average_precision import precision_at_recalls
from tasks.metrics.coco import figures_of
from tasks.metrics.confusion import Confusion, confusion
from tasks.metrics.errors import KINDS, Kind, Mistake, gains, mistakes
from tasks.metrics.intervals import Interval, halves, interval, resampled
from tasks.metrics.matching import IOUS, Matches
from tasks.metrics.operating import best_score, counts_at

HEADLINE = ("mAP", "AP50", "AP75", "AR100")


def intervals_of(matches: Matches) -> dict[str, Interval | None]:
    """The 95 % interval of `mAP`, `AP50`, `AP75`, `AR100` and `AP of CLASS`; None where none can be given."""
    drawn = halves(matches.images)
    on_halves = resampled(matches, drawn)
    figures = named_figures(matches)
    carriers = carriers_of(matches)
    return {
        name: None if value is None else interval(value, on_halves[name], drawn, carriers[name])
        for name, value in figures.items()
    }


def named_figures(matches: Matches) -> dict[str, float | None]:
    """The figures that have intervals, by the names that `resampled` gives them."""
    found = figures_of(matches)
    per_class = {f"AP of {name}": own["AP"] for name, own in found["per_class"].items()}
    return {**{name: found[name] for name in HEADLINE}, **per_class}


def carriers_of(matches: Matches) -> dict[str, int]:
    """How many images each of these figures rests on: a class's those with such a box, a mean's those of the rarest."""
    counted = ~matches.box_ignored[0]
    each = [len(np.unique(matches.box_image[counted & (matches.box_class == k)])) for k in range(len(matches.classes))]
    rarest = min((count for count in each if count), default=0)
    per_class = {f"AP of {name}": count for name, count in zip(matches.classes, each, strict=True)}
    return {**dict.fromkeys(HEADLINE, rarest), **per_class}


def ap_by_iou(matches: Matches) -> list[dict[str, float]]:
    """Rows `IoU, AP`, the mean over classes: what is left as boxes must fit better. No rows where there is no box."""
    precision, _ = precision_at_recalls(matches)
    return [
        {"IoU": float(iou), "AP": float(of_iou[of_iou > -1].mean())}
        for iou, of_iou in zip(IOUS, precision[0], strict=True)
        if (of_iou > -1).any()
    ]


def operating_point(matches: Matches, score: float | None, class_: int | None = None) -> dict[str, Any]:
    """`score`, and there `precision`, `recall`, `F1`, `true`, `false` and `missed`, of one class or of all."""
    if score is None:
        return {}
    counts = counts_at(matches, score, class_)
    return {
        "score": score,
        "precision": counts.precision,
        "recall": counts.recall,
        "F1": counts.f1,
        "true": counts.true,
        "false": counts.false,
        "missed": counts.missed,
    }


def analysis(groundtruth: Dataset, detections: Sequence[Detections], matches: Matches, score: float) -> dict[str, Any]:
    """Intervals, operating points, confusion and mistakes; `score` is the threshold that is shipped."""
    names = [image.file_name for image in groundtruth.images]
    own_intervals = intervals_of(matches)
    found = mistakes(groundtruth, detections, matches)
    gained = gains(matches, found)
    classes = dict(enumerate(matches.classes))
    return {
        "by_iou": ap_by_iou(matches),
        "intervals": {name: each and [each.low, each.high] for name, each in own_intervals.items()},
        "at_threshold": {
            "all": operating_point(matches, score),
            "per_class": {name: operating_point(matches, score, k) for k, name in classes.items()},
        },
        "at_best_F1": {
            "all": operating_point(matches, best_score(matches)),
            "per_class": {name: operating_point(matches, best_score(matches, k), k) for k, name in classes.items()},
        },
        "confusion": _confusion(confusion(groundtruth, detections, matches, score), names),
        "mistakes": {
            kind: {
                "count": sum(each.kind == kind for each in found),
                "at_threshold": _at_threshold(matches, found, kind, score),
                "AP50_gain": gained[kind],
            }
            for kind in KINDS
        },
    }


def _at_threshold(matches: Matches, found: Sequence[Mistake], kind: Kind, score: float) -> int:
    """How many mistakes of a kind there are from `score` on; missed is every box that no detection there finds."""
    if kind == "missed":
        return counts_at(matches, score).missed
    own = [each.detection for each in found if each.kind == kind]
    return int((matches.score[own] >= score).sum())


def _confusion(matrix: Confusion, names: Sequence[str]) -> dict[str, Any]:
    return {
        "classes": list(matrix.classes),
        "counts": matrix.counts.tolist(),
        "images": [
            {"annotated": row, "detected": column, "images": [names[i] for i in own]}
            for (row, column), own in sorted(matrix.images.items())
        ],
    }
