"""Stage `export`: the best checkpoint as a SavedModel and a TFLite file, each of use without this project."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.detector.export import export_saved_model, export_tflite, load_weights
from tasks.detector.network import build_network
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.files import replacing

if TYPE_CHECKING:
    from tasks.params import ExportParams


def export(
    params: "ExportParams", *, trained: Path, pipeline_config: Path, records: Path, exported: Path
) -> dict[str, Any]:
    """Write `exported`/saved_model, `exported`/model.tflite, and the label map and pipeline.config they belong to."""
    config = read_pipeline_config(pipeline_config)
    network = build_network(config, is_training=False)
    load_weights(network, trained / "best" / "ckpt-0")
    with replacing(exported) as partial:
        partial.mkdir()
        export_saved_model(network, partial / "saved_model")
        export_tflite(network, config, partial / "model.tflite", max_detections=params.max_detections)
        shutil.copy(records / "label_map.pbtxt", partial / "label_map.pbtxt")
        shutil.copy(pipeline_config, partial / "pipeline.config")
        sizes = {
            "saved_model_mb": _megabytes(partial / "saved_model"),
            "tflite_mb": _megabytes(partial / "model.tflite"),
        }
    return sizes


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)
