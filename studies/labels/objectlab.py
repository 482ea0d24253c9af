"""The same detections and labels through Cleanlab's ObjectLab; run in an environment of its own, see README.md.

ObjectLab (Tkachenko, Thyagarajan and Mueller, 2023, arXiv:2309.00832) scores each label for a bad place and for a
swapped class, and each sure detection for a label that was overlooked: low scores are suspect. Which detections it
takes for sure, and which for nothing, are two thresholds. Its own (0.95 and 0.5) suit detectors that give right boxes a
score near 1; fitted ones suit any.
"""

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_Labels = list[dict[str, Any]]
_Predictions = list[list[list[list[float]]]]


class Thresholds(NamedTuple):
    """Scores in 0..1: below `low` a detection says nothing, from `high` on it is sure."""

    low: float
    high: float


def suspects(labels: _Labels, predictions: _Predictions, thresholds: Thresholds | None = None) -> list[dict[str, Any]]:
    """Every suspect, the most suspect first: its image, its box, its class and whether a label is missing there.

    Args:
        labels: of each image `bboxes`, `(L, 4)` XYXY_ABS, and `labels`, `(L,)` numbers of classes.
        predictions: of each image and class, rows of XYXY_ABS and score.
        thresholds: ObjectLab's own by default.
    """
    # Not among this project's packages.
    from cleanlab.object_detection.rank import (  # type: ignore[import-not-found] # noqa: PLC0415
        compute_badloc_box_scores,
        compute_overlooked_box_scores,
        compute_swap_box_scores,
    )

    truth = [
        {"bboxes": np.array(each["bboxes"], float).reshape(-1, 4), "labels": np.array(each["labels"], int)}
        for each in labels
    ]
    seen = [
        np.array([np.array(rows, float).reshape(-1, 5) for rows in image] + [None], dtype=object)[:-1]
        for image in predictions
    ]
    arguments: dict[str, Any] = {"labels": truth, "predictions": seen}
    low = {"low_probability_threshold": thresholds.low} if thresholds else {}
    high = {"high_probability_threshold": thresholds.high} if thresholds else {}
    badloc, swap = compute_badloc_box_scores(**arguments, **low), compute_swap_box_scores(**arguments, **high)
    overlooked = compute_overlooked_box_scores(**arguments, **high)
    ranked: list[tuple[float, dict[str, Any]]] = []
    for image, own in enumerate(truth):
        for label, scores in enumerate(zip(badloc[image], swap[image], strict=True)):
            row = {"image": image, "box": own["bboxes"][label].tolist(), "class": int(own["labels"][label])}
            ranked.append((float(np.nanmin(scores)), row | {"missing": False}))
        rows = [(number, row) for number, found in enumerate(seen[image]) for row in found]
        for score, (number, row) in zip(overlooked[image], rows, strict=True):
            if not np.isnan(score):
                ranked.append(
                    (float(score), {"image": image, "box": row[:4].tolist(), "class": number, "missing": True})
                )
    return [row for _, row in sorted(ranked, key=lambda each: each[0])]


def main() -> None:
    """Read the file of a review's labels and detections, write the suspects."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("detections", type=Path)
    parser.add_argument("suspects", type=Path)
    parser.add_argument("--thresholds", type=float, nargs=2, metavar=("LOW", "HIGH"), help="fitted ones")
    args = parser.parse_args()
    content = json.loads(args.detections.read_text(encoding="utf-8"))
    given = content["labels"], content["predictions"]
    found = {"own": suspects(*given), "fitted": suspects(*given, args.thresholds and Thresholds(*args.thresholds))}
    args.suspects.parent.mkdir(exist_ok=True)
    args.suspects.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
