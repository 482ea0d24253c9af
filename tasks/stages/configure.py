"""Stage `configure`: one complete pipeline.config, which training, export and the OD API's own tools can all read.

Before that, params, config, weights and records are checked against each other (`tasks.lint`), so that no mistake costs
GPU time.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.base import checkpoint_prefix, read_base_description
from tasks.artifacts.lint import Finding, write_findings
from tasks.dataset.splits import SPLITS
from tasks.detector.model_messages import (
    canvas_resizer,
    extractor_type,
    meta_architecture,
    resized_config,
)
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.overridden_settings import OVERRIDDEN_BY, overridden_settings, settings_without_effect
from tasks.detector.pipeline_config import (
    PipelineConfig,
    config_text,
    fill_in,
    write_pipeline_config,
)
from tasks.detector.users_config import read_users_config
from tasks.ground.text import print_text
from tasks.lint.checks import ConfiguredModel, check_all
from tasks.lint.config_text import check_replaced
from tasks.lint.finding import in_order, refuse_errors
from tasks.lint.weights import read_base_facts
from tasks.model.definitions import MODELS, backbone_of, find_model
from tasks.model.label_map import LABEL_MAP, read_label_map
from tasks.tfrecords.tf_example import read_split

# Of the possible sizes every fourth: steps in time that one would notice.
_SIDES_PX = range(256, 1025, 128)

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
) -> dict[str, str | int]:
    """Write `pipeline_config`: the model that `model.name` means, filled in for these records, weights and params.

    The findings of the checks are printed and written to `lint`.

    Raises:
        ConfigError: no such model, a pipeline.config that cannot be read or trained here, or settings and data with
            which training would be useless.
        CheckpointError: `base` is not what the checkpoint stage writes.
        FormatError: the records are damaged.
    """
    config = _model_config(model)
    before = {} if model.name in MODELS else overridden_settings(config)
    classes = read_label_map(records / LABEL_MAP)
    description = read_base_description(base)
    fill_in(
        config,
        num_classes=len(classes),
        train=train,
        export=export,
        records=records,
        fine_tune_checkpoint=checkpoint_prefix(base) if description.kind == "tf_checkpoint" else None,
    )
    configured = _configured_model(model.name, config, pipeline_config)
    splits = {split: read_split(records, split) for split in SPLITS}
    findings = in_order(
        [
            *check_all(train, configured, read_base_facts(base, description), classes, splits),
            *check_replaced(model.name, before, overridden_settings(config), OVERRIDDEN_BY),
            *(Finding("info", key, "", why) for key, why in settings_without_effect(config).items()),
        ]
    )
    for finding in findings:
        if finding.level != "error":
            print_text(f"configure: {finding.level}: {finding}")
    refuse_errors(findings)
    write_pipeline_config(config, pipeline_config)
    write_findings(findings, lint)
    height, width = canvas_resizer(config).canvas
    warnings = sum(finding.level == "warning" for finding in findings)
    return {"model": model.name, "classes": len(classes), "input": f"{width}x{height}", "warnings": warnings}


def _model_config(model: "ModelParams") -> PipelineConfig:
    found = find_model(model.name, model.side_px)
    if not isinstance(found, Path):
        return pipeline_proto(found)
    return read_users_config(found)


def _configured_model(name: str, config: PipelineConfig, path: Path) -> ConfiguredModel:
    extractor = extractor_type(config)
    others = {
        other: config_text(pipeline_proto(definition))
        for other, definition in MODELS.items()
        if definition.feature_extractor != extractor
        and definition.backbone == backbone_of(extractor)
        # Whether another meta-architecture finds more cannot be read from its sizes.
        and meta_architecture(pipeline_proto(definition)) == meta_architecture(config)
    }
    larger = {side_px: config_text(resized_config(config, side_px)) for side_px in _larger_sides(config)}
    return ConfiguredModel(name, path, config_text(config), extractor, larger, others)


def _larger_sides(config: PipelineConfig) -> list[int]:
    """The sizes that the lint compares with the input's own, up to four times its pixels; none for an oblong input."""
    height, width = canvas_resizer(config).canvas
    return [side_px for side_px in _SIDES_PX if width < side_px <= 2 * width] if height == width else []
