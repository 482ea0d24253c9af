"""Stage `configure`: one full pipeline.config, which training, export and the OD API's own tools can all read."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.detector.model_definitions import find_model
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import (
    PipelineConfig,
    check_supported,
    fill_in,
    input_size,
    read_pipeline_config,
    write_pipeline_config,
)
from tasks.errors import CheckpointError
from tasks.formats.label_map import read_label_map

if TYPE_CHECKING:
    from tasks.params import ExportParams, ModelParams, TrainParams


def configure(
    model: "ModelParams",
    train: "TrainParams",
    export: "ExportParams",
    *,
    records: Path,
    base: Path,
    pipeline_config: Path,
) -> dict[str, Any]:
    """Write `pipeline_config`: the model that `model.name` means, filled in for these records, weights and params.

    Raises:
        ConfigError: no such model, or a pipeline.config that cannot be read or trained here.
        CheckpointError: `base` is not what the checkpoint stage writes.
    """
    config = _config_of(model.name)
    classes = read_label_map(records / "label_map.pbtxt")
    fill_in(
        config,
        num_classes=len(classes),
        train=train,
        export=export,
        records=records,
        fine_tune_checkpoint=_fine_tune_checkpoint(base),
    )
    write_pipeline_config(config, pipeline_config)
    height, width = input_size(config)
    return {"model": model.name, "classes": len(classes), "input": f"{width}x{height}"}


def _config_of(name: str) -> PipelineConfig:
    found = find_model(name)
    if not isinstance(found, Path):
        return pipeline_proto(found)
    config = read_pipeline_config(found)
    check_supported(config, found)
    return config


def _fine_tune_checkpoint(base: Path) -> Path | None:
    description = base / "base.json"
    try:
        kind = json.loads(description.read_text(encoding="utf-8"))["kind"]
    except (FileNotFoundError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{description}: not what the checkpoint stage writes: {error!r}; run it again"
        ) from error
    if kind != "tf_checkpoint":
        return None
    prefix = base / "checkpoint" / "ckpt-0"
    if not prefix.with_suffix(".index").is_file():
        raise CheckpointError(f"{prefix}.index: no such file, but {description} promises it; run the stage again")
    return prefix
