"""Stage `report`: everything a run has to show, on one self-contained page."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.analysis import read_analysis
from tasks.artifacts.evaluation import read_evaluation
from tasks.artifacts.gate import read_gate_counts
from tasks.artifacts.lint import read_findings
from tasks.artifacts.model_detections import read_model_detections
from tasks.artifacts.precision_recall import read_precision_recall
from tasks.artifacts.slices import read_slices
from tasks.artifacts.speed import read_speed
from tasks.artifacts.split import read_dropped, read_leaks
from tasks.artifacts.training import read_freeze_audits, read_restore_summary, read_training_figures
from tasks.artifacts.variant_losses import read_variant_losses
from tasks.dataset.coco_json import read_stage_coco
from tasks.dataset.split_files import read_coco_splits
from tasks.ground.files import replacing, sha256_of
from tasks.ground.text import printable
from tasks.report_page.content import page_content
from tasks.report_page.page import render
from tasks.report_page.run_files import RunFiles

if TYPE_CHECKING:
    from tasks.params import ReportParams, ValidateParams
    from tasks.params.value_types import Section


def report(  # noqa: PLR0913 - a path for each file that it shows
    params: "ReportParams",
    validate: "ValidateParams",
    *others: "Section",
    ingested: Path,
    validated: Path,
    splits: Path,
    trained: Path,
    detections: Path,
    metrics_data: Path,
    metrics_train: Path,
    metrics_evaluate: Path,
    speed: Path,
    plots_train: Path,
    plots_evaluate: Path,
    pipeline_config: Path,
    lint: Path,
    report: Path,
) -> dict[str, Any]:
    """Write `report`/index.html.

    What a run did not record (curves, a summary of the checkpoint, anchors) is a sentence on the page, a missing figure
    is a dash, and an empty test split gives a page that says so. `validate` is for the gate's policy, and its limit on
    how large images are opened holds here too; `others` are only listed.

    Raises:
        DataError: a file that every run writes is missing.
        FormatError: a file is not what its stage writes.
    """
    of_split = read_coco_splits(splits)
    run = RunFiles(
        ingested=read_stage_coco(ingested, "ingest"),
        validated=read_stage_coco(validated, "validate"),
        validated_sha256=sha256_of(validated),
        of_split=of_split,
        gate_counts=read_gate_counts(metrics_data),
        training=read_training_figures(metrics_train),
        restored=read_restore_summary(trained),
        frozen=read_freeze_audits(trained),
        evaluation=read_evaluation(metrics_evaluate),
        analysis=read_analysis(detections),
        slices=read_slices(detections),
        detections=read_model_detections(detections, "saved_model", of_split["test"]),
        curves=read_precision_recall(plots_evaluate),
        speed=read_speed(speed),
        variants=read_variant_losses(detections),
        plots_train=plots_train,
        pipeline_config=pipeline_config,
        findings=read_findings(lint),
        leaks=read_leaks(splits),
        dropped=read_dropped(splits),
    )
    content, pictures = page_content(run, params, validate, [params, validate, *others])
    page = render(content, printable)
    file = report / "index.html"
    with replacing(file) as beside:
        beside.write_text(page, encoding="utf-8")
    return {"page": str(file), "pictures": pictures, "megabytes": round(len(page) / 1e6, 1)}
