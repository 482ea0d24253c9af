"""The page's content, by the names that its template uses."""

import importlib.metadata
import platform
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.dataset.dataset import Dataset
from tasks.dataset.splits import SPLITS
from tasks.errors import ConfigError
from tasks.images.drawing import class_colours
from tasks.metrics.errors import KINDS
from tasks.model.geometry import read_model_geometry
from tasks.report_page.balance import anchor_fit, balance
from tasks.report_page.examples import examples
from tasks.report_page.failures import confusion_table, mistake_rows, operating_rows
from tasks.report_page.gate import GateSection, gate_section
from tasks.report_page.param_table import param_rows
from tasks.report_page.pictures import MOST_PAGE_BYTES, gallery_shots, small_picture
from tasks.report_page.plots import precision_recall_plot, training_plots
from tasks.report_page.run_files import RunFiles
from tasks.report_page.scores import class_rows, scores, speed_table
from tasks.report_page.slices import slice_section
from tasks.report_page.splits import dropped_rows, leak_rows, split_rows
from tasks.report_page.variants import variant_table

if TYPE_CHECKING:
    from tasks.params import ReportParams, ValidateParams
    from tasks.params.value_types import Section

_PACKAGES = {
    "TensorFlow": "tensorflow",
    "OD API": "tf-object-detection-api",
    "DVC": "dvc",
}
_EXAMPLE_PX = 240


def page_content(
    run: RunFiles, params: "ReportParams", validate: "ValidateParams", sections: Sequence["Section"]
) -> tuple[dict[str, object], int]:
    """The content of a run's page, and how many pictures its gallery has.

    Args:
        run: the files.
        params: of the report.
        validate: of the gate; its limit on how large images are opened holds here too.
        sections: all sections of params.yaml that the page lists.
    """
    test = run.of_split["test"]
    colours = class_colours(test.classes)
    gate = _gate(run, validate)
    shots = gallery_shots(
        params,
        partial(small_picture, max_megapixels=validate.max_image_megapixels),
        test,
        run.detections,
        colours,
        MOST_PAGE_BYTES - gate.picture_bytes,
    )
    content = {
        **_figures(run, colours),
        "shots": shots,
        "why_no_pictures": "No pictures: the test split is empty, or report.gallery_images is 0.",
        "class_places": {name: place for place, name in enumerate(test.classes)},
        "kinds": KINDS,
        "slider_from": params.score_threshold,
        "shown_from": max(params.score_threshold, run.evaluation.saved_model.score_threshold or 0.0),
        "confusion": confusion_table(
            run.analysis.confusion, {shot.file_name: place for place, shot in enumerate(shots)}
        ),
        "training": run.training,
        "plots": [
            *training_plots(run.plots_train, run.training.best_step, run.training.border),
            precision_recall_plot(run.curves, colours),
        ],
        "frozen": run.frozen,
        "restored": run.restored,
        "findings": run.findings,
        "gate": gate,
        "splits": SPLITS,
        "balance": balance(run.ingested, run.validated, run.of_split, colours),
        **_fit(run.validated, run.pipeline_config),
        "split_rows": split_rows(run.of_split, colours),
        "leaks": leak_rows(run.leaks),
        "dropped": dropped_rows(run.dropped),
        "param_rows": param_rows(sections),
        "versions": _versions(),
        "fingerprint": run.validated_sha256,
    }
    return content, len(shots)


def _figures(run: RunFiles, colours: dict[str, str]) -> dict[str, object]:
    test = run.of_split["test"]
    return {
        "scores": scores(run.evaluation, run.analysis, run.of_split),
        "classes": test.classes,
        "class_rows": class_rows(run.evaluation, run.analysis, test, colours),
        "score_origin": run.analysis.score_origin,
        "operating": operating_rows(run.analysis, test.classes, colours),
        "mistakes": mistake_rows(run.analysis),
        "by_iou": run.analysis.by_iou,
        "speed": speed_table(run.speed),
        "slices": slice_section(run.slices),
        "variants": variant_table(run.variants, run.speed),
    }


def _gate(run: RunFiles, validate: "ValidateParams") -> GateSection:
    before, after = run.ingested, run.validated
    chosen = examples(
        after.problems,
        {before.image_path(image).as_posix() for image in before.images},
        {after.image_path(image).as_posix(): image.boxes for image in after.images},
        partial(small_picture, max_side_px=_EXAMPLE_PX, max_megapixels=validate.max_image_megapixels),
    )
    return gate_section(run.gate_counts, after.problems, validate.on_problem, validate.policy, chosen)


def _fit(dataset: Dataset, pipeline_config: Path) -> dict[str, object]:
    try:
        geometry = read_model_geometry(pipeline_config)
        if not geometry.has_anchors:
            stride = geometry.finest_stride_px
            why = f"it has none: it finds one object of a class in each {stride} x {stride} px of its input"
            return {"fit": None, "why_no_fit": why}
        return {"fit": anchor_fit(dataset, geometry), "why_no_fit": ""}
    except ConfigError as error:
        return {"fit": None, "why_no_fit": str(error).removeprefix(f"{pipeline_config}: ")}


def _versions() -> list[tuple[str, str]]:
    versions = [("Python", platform.python_version())]
    for name, package in _PACKAGES.items():
        try:
            versions.append((name, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            versions.append((name, "not installed"))
    return versions
