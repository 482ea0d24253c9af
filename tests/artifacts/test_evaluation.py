"""What the evaluate stage writes keeps its keys on disk, and a file that lacks some can be read."""

import json
from pathlib import Path

from tasks.artifacts.analysis import Analysis, Interval, OperatingPoint, OperatingPoints, read_analysis, write_analysis
from tasks.artifacts.evaluation import (
    FIGURES,
    ClassFigures,
    Evaluation,
    SavedModelFigures,
    read_evaluation,
    write_evaluation,
)
from tasks.artifacts.precision_recall import CurvePoint, read_precision_recall, write_precision_recall
from tasks.artifacts.speed import read_speed


def test_figures_have_the_names_of_coco_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "evaluate.json"
    written = Evaluation(
        images=2,
        saved_model=SavedModelFigures(mean_ap=0.5, f1=0.25, per_class={"cat": ClassFigures(ap=0.5)}),
    )
    write_evaluation(path, written)
    content = json.loads(path.read_text())
    extra = {"per_class", "score_threshold", "precision", "recall", "F1"}
    ends = {"mAP_low", "mAP_high", "AP50_low", "AP50_high"}
    assert content["saved_model"].keys() == {*FIGURES, *extra, *ends}
    assert content["tflite"].keys() == {*FIGURES, *extra}
    assert content["saved_model"]["per_class"] == {"cat": {"AP": 0.5, "AP50": None, "AR100": None}}
    assert read_evaluation(path) == written


def test_an_older_evaluation_lacks_figures_and_is_read(tmp_path: Path) -> None:
    path = tmp_path / "evaluate.json"
    path.write_text('{"images": 3, "saved_model": {"mAP": 0.5}}')
    evaluation = read_evaluation(path)
    assert (evaluation.saved_model.mean_ap, evaluation.saved_model.ap50, evaluation.tflite.mean_ap) == (0.5, None, None)
    assert evaluation.saved_model.interval("mAP") is None


def test_an_analysis_is_read_as_it_was_written_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    assert read_analysis(tmp_path) == Analysis()
    points = OperatingPoints(all=OperatingPoint(score=0.5, true=1, false=0, missed=2))
    written = Analysis(intervals={"mAP": Interval(0.1, 0.2), "AP of cat": None}, at_threshold=points)
    write_analysis(tmp_path, written)
    content = json.loads((tmp_path / "analysis.json").read_text())
    assert content["intervals"] == {"mAP": [0.1, 0.2], "AP of cat": None}
    assert content["at_best_F1"] == {"all": {}, "per_class": {}}
    assert content["at_threshold"]["all"].keys() == {"score", "precision", "recall", "F1", "true", "false", "missed"}
    assert read_analysis(tmp_path) == written


def test_the_average_curve_has_a_file_of_its_own(tmp_path: Path) -> None:
    average, cat = (CurvePoint(class_=name, recall=0.5, precision=1.0) for name in ("all", "cat"))
    write_precision_recall(tmp_path, [average, cat])
    assert read_precision_recall(tmp_path) == [average, cat]
    (row,) = json.loads((tmp_path / "precision_recall_average.json").read_text())
    assert row == {"class": "all", "recall": 0.5, "precision": 1.0, "score": None}
    write_precision_recall(tmp_path, [])
    assert read_precision_recall(tmp_path) == []


def test_a_missing_speed_is_none(tmp_path: Path) -> None:
    assert read_speed(tmp_path / "speed.json") is None
