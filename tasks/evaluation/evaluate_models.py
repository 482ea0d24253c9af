"""Both exported models on the test images: their figures, and what the report and the model card show beside them."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.artifacts.analysis import Analysis
from tasks.artifacts.evaluation import Evaluation, ModelFigures, SavedModelFigures
from tasks.artifacts.model_detections import ExportedModel
from tasks.artifacts.precision_recall import CurvePoint
from tasks.artifacts.speed import ModelSpeed, Speed
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections, Detector
from tasks.evaluation.exported import load_saved_model, load_tflite
from tasks.evaluation.measure_speed import measure_speed
from tasks.evaluation.scoring import detect_all
from tasks.ground.files import megabytes
from tasks.ground.process import usable_cores
from tasks.ground.stage_files import require_file
from tasks.metrics.analysis import analysis, operating_point
from tasks.metrics.coco import figures_of, precision_recall
from tasks.metrics.matching import Matches, match_detections
from tasks.model.checksums import CHECKSUMS
from tasks.model.thresholds import Thresholds, read_thresholds


@dataclass(frozen=True)
class Results:
    """What `evaluate_models` finds.

    Attributes:
        detections: of each model, in every test image.
        evaluation: the figures of both models.
        analysis: of the SavedModel.
        curves: its precision-recall curves.
        speed: of both models.
    """

    detections: dict[ExportedModel, list[Detections]]
    evaluation: Evaluation
    analysis: Analysis
    curves: list[CurvePoint]
    speed: Speed


def evaluate_models(exported: Path, test: Dataset, batch_size: int) -> Results:
    """Run both models of the folder `exported` on every image of `test`.

    Raises:
        CheckpointError: a model is missing, cannot be read, or is not what SHA256SUMS says.
        DataError: there is no SHA256SUMS.
        EvaluationError: the models' classes are not the split's, or an image was not scored.
        FormatError: the thresholds of the exported models cannot be read.
    """
    require_file(exported / CHECKSUMS, "export")
    thresholds = read_thresholds(exported / "thresholds.json")
    saved_model, saved_model_speed = _run("saved_model", load_saved_model, exported, "saved_model", test, batch_size)
    tflite, tflite_speed = _run("tflite", load_tflite, exported, "model.tflite", test, batch_size)
    matches = match_detections(test, saved_model)
    findings = analysis(test, saved_model, matches, thresholds.score, thresholds.origin)
    return Results(
        detections={"saved_model": saved_model, "tflite": tflite},
        evaluation=Evaluation(
            images=len(test.images),
            saved_model=_with_intervals(_figures(matches, thresholds), findings),
            tflite=_figures(match_detections(test, tflite), thresholds),
        ),
        analysis=findings,
        curves=precision_recall(test, saved_model),
        speed=Speed(
            machine=f"{platform.machine()}, {usable_cores()} cores", saved_model=saved_model_speed, tflite=tflite_speed
        ),
    )


def _run(
    name: str, load: Callable[[Path], Detector], exported: Path, file: str, test: Dataset, batch_size: int
) -> tuple[list[Detections], ModelSpeed]:
    detector = load(exported)
    detections = detect_all(detector, test, batch_size, f"evaluate {name}")
    return detections, measure_speed(detector, test, batch_size, megabytes(exported / file))


def _figures(matches: Matches, thresholds: Thresholds) -> ModelFigures:
    point = operating_point(matches, thresholds.score)
    return ModelFigures(
        **dict(figures_of(matches)),
        score_threshold=point.score,
        precision=point.precision,
        recall=point.recall,
        f1=point.f1,
    )


def _with_intervals(figures: ModelFigures, findings: Analysis) -> SavedModelFigures:
    """The figures with both ends of the intervals of mAP and AP50, as figures of their own."""
    mean_ap, ap50 = findings.intervals["mAP"], findings.intervals["AP50"]
    return SavedModelFigures(
        **dict(figures),
        mean_ap_low=mean_ap and mean_ap.low,
        mean_ap_high=mean_ap and mean_ap.high,
        ap50_low=ap50 and ap50.low,
        ap50_high=ap50 and ap50.high,
    )
