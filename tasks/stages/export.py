"""Stage `export`: the best checkpoint as a SavedModel and a TFLite file, each usable without this project.

Beside them lies the score from which their detections are worth showing. It is chosen on the val split, as the
checkpoint was: chosen on the test split, it would make the figures too good.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detector
from tasks.dataset.split_files import read_coco_split
from tasks.detector.network import build_network
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.evaluation.exported import load_saved_model
from tasks.evaluation.scoring import detect_all
from tasks.exporting.export import export_saved_model, export_tflite, load_weights
from tasks.ground.files import megabytes, replacing
from tasks.metrics.matching import match_detections
from tasks.metrics.operating import best_score
from tasks.model.checksums import write_checksums
from tasks.model.label_map import LABEL_MAP
from tasks.model.thresholds import DEFAULT_SCORE, Thresholds, write_thresholds

if TYPE_CHECKING:
    from tasks.params import ExportParams

_BATCH = 8


def export(
    params: "ExportParams", *, trained: Path, pipeline_config: Path, records: Path, splits: Path, exported: Path
) -> dict[str, Any]:
    """Write both models, their label map and pipeline.config, thresholds.json and SHA256SUMS into `exported`.

    Raises:
        EvaluationError: a val image could not be scored.
    """
    config = read_pipeline_config(pipeline_config)
    network = build_network(config, is_training=False)
    load_weights(network, trained / "best" / "ckpt-0")
    with replacing(exported, own_folder=True) as partial:
        partial.mkdir()
        export_saved_model(network, partial / "saved_model")
        export_tflite(network, config, partial / "model.tflite", max_detections=params.max_detections)
        shutil.copy(records / LABEL_MAP, partial / LABEL_MAP)
        shutil.copy(pipeline_config, partial / "pipeline.config")
        thresholds = choose_thresholds(
            load_saved_model(partial), read_coco_split(splits, "val"), params.score_threshold
        )
        write_thresholds(thresholds, partial / "thresholds.json")
        write_checksums(partial)
        sizes = {
            "saved_model_mb": megabytes(partial / "saved_model"),
            "tflite_mb": megabytes(partial / "model.tflite"),
        }
    return {**sizes, "score_threshold": thresholds.score}


def choose_thresholds(detector: Detector, val: Dataset, wanted: float | None) -> Thresholds:
    """The score `wanted`, else the one where F1 is highest on `val`, of all classes together; and that of each class.

    Raises:
        EvaluationError: an image could not be scored.
    """
    matches = match_detections(val, detect_all(detector, val, _BATCH, "export: choosing the score threshold"))
    per_class = {name: best_score(matches, k) for k, name in enumerate(matches.classes)}
    best = best_score(matches)
    score, chosen_by = (best, "F1") if best is not None else (DEFAULT_SCORE, "default")
    if wanted is not None:
        score, chosen_by = wanted, "params"
    return Thresholds(score=score, chosen_by=chosen_by, best_score=best, per_class=per_class, images=len(val.images))
