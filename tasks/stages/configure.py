"""Stage `configure`: one full pipeline.config, which training, export and the OD API's own tools can all read.

Before that, it, params and data are checked against each other (`tasks.lint`), so that no mistake costs GPU time.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.splits import SPLITS
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.overridden_settings import OVERRIDDEN_BY, overridden_settings
from tasks.detector.pipeline_config import (
    PipelineConfig,
    check_supported,
    config_text,
    fill_in,
    input_size,
    read_pipeline_config,
    write_pipeline_config,
)
from tasks.errors import CheckpointError, ConfigError
from tasks.ground.files import write_json
from tasks.ground.text import tell
from tasks.lint.boxes import check_anchors, check_small
from tasks.lint.config_text import check_placeholders, check_replaced
from tasks.lint.finding import Finding, in_order, refuse_errors
from tasks.lint.rate import check_rate
from tasks.lint.schedule import check_amount, check_schedule
from tasks.lint.splits import check_splits
from tasks.lint.weights import check_base, check_freeze, read_base_facts
from tasks.model.definitions import MODELS, backbone_of, find_model
from tasks.model.geometry import ModelGeometry, model_geometry
from tasks.model.label_map import read_label_map
from tasks.tfrecords.tf_example import read_split
from tasks.weights.base_description import read_base_description

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
    lint: Path,
) -> dict[str, Any]:
    """Write `pipeline_config`: the model that `model.name` means, filled in for these records, weights and params.

    What the checks have found is printed and written to `lint`.

    Raises:
        ConfigError: no such model, a pipeline.config that cannot be read or trained here, or settings and data with
            which training would be for nothing.
        CheckpointError: `base` is not what the checkpoint stage writes.
        FormatError: the records are damaged.
    """
    config = _config_of(model.name)
    before = {} if model.name in MODELS else overridden_settings(config)
    classes = read_label_map(records / "label_map.pbtxt")
    description = read_base_description(base)
    fill_in(
        config,
        num_classes=len(classes),
        train=train,
        export=export,
        records=records,
        fine_tune_checkpoint=_fine_tune_checkpoint(base, description),
    )
    parts = {part: read_split(records, part) for part in SPLITS}
    base_facts = read_base_facts(base, description)
    extractor = config.model.ssd.feature_extractor.type
    findings = in_order(
        [
            *check_placeholders(config_text(config), model.name),
            *check_freeze(train, extractor, base_facts),
            *check_base(base_facts, classes),
            *check_splits(classes, parts),
            *check_schedule(train),
            *check_rate(train),
            *(check_amount(train, len(parts["train"])) if parts["train"] else []),
            *_box_findings(model.name, config, parts["train"], pipeline_config),
            *check_replaced(model.name, before, overridden_settings(config), OVERRIDDEN_BY),
        ]
    )
    told = [finding for finding in findings if finding.level != "error"]
    for finding in told:
        tell(f"configure: {finding.level}: {finding}")
    refuse_errors(findings)
    write_pipeline_config(config, pipeline_config)
    write_json(lint, [asdict(finding) for finding in findings])
    height, width = input_size(config)
    warnings = sum(finding.level == "warning" for finding in findings)
    return {"model": model.name, "classes": len(classes), "input": f"{width}x{height}", "warnings": warnings}


def _box_findings(name: str, config: PipelineConfig, images: tuple[AnnotatedImage, ...], called: Path) -> list[Finding]:
    try:
        geometry = model_geometry(config_text(config), called)
    except ConfigError as error:
        why = f"its anchors are not known here, so that boxes were not compared with them ({error})"
        return [Finding("info", "model.name", name, why)]
    others = _other_models(name, config.model.ssd.feature_extractor.type, called)
    return [*check_anchors(images, name, geometry, others), *check_small(images, name, geometry, others)]


def _other_models(name: str, extractor: str, called: Path) -> dict[str, ModelGeometry]:
    """The models of ours that start from the same backbone."""
    backbone = backbone_of(extractor)
    return {
        other: model_geometry(config_text(pipeline_proto(definition)), called)
        for other, definition in MODELS.items()
        if other != name and definition.backbone == backbone
    }


def _config_of(name: str) -> PipelineConfig:
    found = find_model(name)
    if not isinstance(found, Path):
        return pipeline_proto(found)
    config = read_pipeline_config(found)
    check_supported(config, found)
    return config


def _fine_tune_checkpoint(base: Path, description: Mapping[str, Any]) -> Path | None:
    if description["kind"] != "tf_checkpoint":
        return None
    prefix = base / "checkpoint" / "ckpt-0"
    if not prefix.with_suffix(".index").is_file():
        raise CheckpointError(
            f"{prefix}.index: no such file, but {base / 'base.json'} promises it; run the stage again"
        )
    return prefix
