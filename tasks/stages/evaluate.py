"""Stage `evaluate`: what is shipped is what is scored: the exported SavedModel and TFLite on the test split."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.base import read_base_description
from tasks.dataset.coco_json import write_detections
from tasks.dataset.split_files import read_coco_splits
from tasks.evaluation.exported import load_saved_model, load_tflite
from tasks.evaluation.model_card import Facts, card
from tasks.evaluation.scoring import detect_all, measure_speed
from tasks.ground.files import megabytes, replacing, write_json
from tasks.ground.process import usable_cores
from tasks.metrics.analysis import analysis, operating_point
from tasks.metrics.coco import figures_of, matched, precision_recall
from tasks.model.thresholds import read_thresholds

if TYPE_CHECKING:
    from tasks.params import EvaluateParams

_POINT = {"score_threshold": "score", "precision": "precision", "recall": "recall", "F1": "F1"}


def evaluate(
    params: "EvaluateParams",
    *,
    exported: Path,
    base: Path,
    splits: Path,
    detections: Path,
    metrics_evaluate: Path,
    plots_evaluate: Path,
    model_card: Path,
) -> dict[str, Any]:
    """Score both exported models on every test image.

    Writes COCO results for each below `detections`, there speed.json and, for the SavedModel, analysis.json: intervals,
    precision and recall at the score that `export` chose, confusion, kinds of mistakes. Then the figures, and the
    precision-recall curve below `plots_evaluate`, and the card of the exported model.

    Raises:
        EvaluationError: the models' classes are not the split's, or an image went unscored.
        FormatError: the thresholds of the exported model cannot be read.
    """
    parts = read_coco_splits(splits)
    test = parts["test"]
    thresholds = read_thresholds(exported / "thresholds.json")
    figures: dict[str, Any] = {"images": len(test.images)}
    speed: dict[str, Any] = {"machine": f"{platform.machine()}, {usable_cores()} cores"}
    with replacing(detections) as partial:
        partial.mkdir()
        for name, file, load in (
            ("saved_model", "saved_model", load_saved_model),
            ("tflite", "model.tflite", load_tflite),
        ):
            detector = load(exported)
            found = detect_all(detector, test, params.batch_size, f"evaluate {name}")
            speed[name] = {**measure_speed(detector, test, params.batch_size), "size_mb": megabytes(exported / file)}
            write_detections(found, test, partial / f"{name}.json")
            matches = matched(test, found)
            figures[name] = {**figures_of(matches), **_at(operating_point(matches, thresholds.score))}
            if name == "saved_model":
                curve = precision_recall(test, found)
                looked_into = analysis(test, found, matches, thresholds.score) | {"score_origin": thresholds.origin}
                write_json(partial / "analysis.json", looked_into)
                figures[name] |= _ends(looked_into["intervals"])
        # Not among the metrics: it is another at every run, and of this machine.
        write_json(partial / "speed.json", speed)
    with replacing(plots_evaluate) as partial:
        partial.mkdir()
        write_json(partial / "precision_recall.json", curve)
        # The rows of one curve, which `dvc plots` can draw without knowing of classes; the first row is of the average.
        average = [row for row in curve if row["class"] == curve[0]["class"]]
        write_json(partial / "precision_recall_average.json", average)
    write_json(metrics_evaluate, figures)
    facts = Facts(params.intended_use, parts, figures, looked_into, read_base_description(base), speed)
    with replacing(model_card) as beside:
        beside.write_text(card(facts), encoding="utf-8")
    return {
        f"{name} {figure}": figures[name][figure] for name in ("saved_model", "tflite") for figure in ("mAP", "AP50")
    }


def _at(point: dict[str, Any]) -> dict[str, Any]:
    """What of an operating point stands among the figures, whose names are few."""
    return {name: point.get(key) for name, key in _POINT.items()}


def _ends(intervals: dict[str, list[float] | None]) -> dict[str, float | None]:
    """Both ends of the headline figures' intervals, as figures of their own: `dvc metrics diff` shows numbers."""
    return {
        f"{name}_{end}": None if own is None else own[place]
        for name in ("mAP", "AP50")
        for own in [intervals[name]]
        for place, end in enumerate(("low", "high"))
    }
