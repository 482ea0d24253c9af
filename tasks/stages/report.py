"""The report stage: everything a run has to show, on one self-contained page."""

import importlib.metadata
import json
import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.artifacts.gate import GateCounts, read_gate_counts
from tasks.artifacts.lint import read_findings
from tasks.artifacts.split import read_dropped, read_leaks
from tasks.artifacts.training import read_freeze_audit, read_restore_summary, read_training_figures
from tasks.dataset.coco_json import read_coco, read_detections
from tasks.dataset.dataset import Dataset
from tasks.dataset.split_files import read_coco_splits
from tasks.dataset.splits import SPLITS
from tasks.errors import ConfigError, DataError, FormatError
from tasks.gate.policy import Policy
from tasks.ground.files import replacing, sha256_of
from tasks.ground.text import printable
from tasks.images.drawing import Thumbnail, class_colours
from tasks.metrics.errors import KINDS
from tasks.model.geometry import read_model_geometry
from tasks.report_page import failures, sections
from tasks.report_page.balance import anchor_fit, balance
from tasks.report_page.examples import examples
from tasks.report_page.gate import gate
from tasks.report_page.page import render
from tasks.report_page.pictures import MOST_PAGE_BYTES, gallery_shots, small_picture
from tasks.report_page.plots import precision_recall_curve, training_curves
from tasks.report_page.scores import scores
from tasks.report_page.splits import dropped_rows, leak_rows, split_rows

if TYPE_CHECKING:
    from tasks.params import ReportParams, Section, ValidateParams

_PACKAGES = {
    "TensorFlow": "tensorflow",
    "OD API": "tf-object-detection-api",
    "DVC": "dvc",
}
_EXAMPLE_PX = 240


def report(  # noqa: PLR0913 - a path for each stage it tells of
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
    plots_train: Path,
    plots_evaluate: Path,
    pipeline_config: Path,
    lint: Path,
    report: Path,
) -> dict[str, Any]:
    """Write `report`/index.html.

    Figures that a metrics file lacks show as a dash, curves, a record of the checkpoint and anchors that are missing as
    a sentence; an empty test part gives a page that says so. `validate` is for the gate's policy, and its limit on how
    large images are opened holds here too; `others` are only shown.

    Raises:
        DataError: a metrics file is missing or is not JSON, or the annotations or detections cannot be read.
    """
    parts = read_coco_splits(splits)
    test = parts["test"]
    colours = class_colours(test.classes)
    figures = _read_object(metrics_evaluate)
    training = read_training_figures(metrics_train)
    take = partial(small_picture, max_megapixels=validate.max_image_megapixels)
    found_by_gate = _gate(
        validate, take, read_coco(_there(ingested)), read_coco(_there(validated)), read_gate_counts(metrics_data)
    )
    room = MOST_PAGE_BYTES - sum(len(each.picture) for kind in found_by_gate["kinds"] for each in kind["examples"])
    found = read_detections(_there(detections / "saved_model.json"), test)
    shots = gallery_shots(params, take, test, found, colours, room)
    looked_into = detections / "analysis.json"
    analysis = _read_object(looked_into) if looked_into.is_file() else {}
    content = {
        **scores(figures, analysis, parts),
        "classes": test.classes,
        "class_rows": sections.class_rows(figures, analysis, test, colours),
        "shots": shots,
        "why_no_pictures": "No pictures: the test part is empty, or report.gallery_images is 0.",
        "class_places": {name: place for place, name in enumerate(test.classes)},
        "kinds": KINDS,
        "slider_from": params.score_threshold,
        "shown_from": max(params.score_threshold, sections.shipped_score(figures) or 0.0),
        "score_origin": str(analysis.get("score_origin", "")),
        "operating": failures.operating(analysis, test.classes, colours),
        "mistakes": failures.mistakes(analysis),
        "confusion": failures.confusion(analysis, {shot.file_name: place for place, shot in enumerate(shots)}),
        "by_iou": failures.by_iou(analysis),
        "speed": sections.speed(_read_object(speed) if (speed := detections / "speed.json").is_file() else {}),
        "training": training,
        "curves": [
            *training_curves(plots_train, training.best_step),
            precision_recall_curve(plots_evaluate, colours),
        ],
        "frozen": read_freeze_audit(trained),
        "restored": read_restore_summary(trained),
        "findings": read_findings(lint),
        "gate": found_by_gate,
        "parts": SPLITS,
        "balance": balance(read_coco(ingested), read_coco(validated), parts, colours),
        **_fit(read_coco(validated), pipeline_config),
        "split_rows": split_rows(parts, colours),
        "leaks": leak_rows(read_leaks(splits)),
        "dropped": dropped_rows(read_dropped(splits)),
        "param_rows": sections.param_rows([params, validate, *others]),
        "versions": _versions(),
        "fingerprint": sha256_of(validated),
    }
    page = render(content, printable)
    with replacing(report) as folder:
        folder.mkdir()
        (folder / "index.html").write_text(page, encoding="utf-8")
    return {"page": str(report / "index.html"), "pictures": len(shots), "megabytes": round(len(page) / 1e6, 1)}


def _gate(
    params: "ValidateParams",
    take: Callable[[Path, int], Thumbnail | str],
    before: Dataset,
    after: Dataset,
    counts: GateCounts,
) -> dict[str, Any]:
    shown = examples(
        after.problems,
        {before.image_path(image).as_posix() for image in before.images},
        {after.image_path(image).as_posix(): image.boxes for image in after.images},
        lambda path: take(path, _EXAMPLE_PX),
    )
    return gate(counts, after.problems, Policy(params.on_problem, params.policy), shown)


def _fit(dataset: Dataset, pipeline_config: Path) -> dict[str, Any]:
    try:
        return {"fit": anchor_fit(dataset, read_model_geometry(pipeline_config)), "why_no_fit": ""}
    except ConfigError as error:
        return {"fit": None, "why_no_fit": str(error).removeprefix(f"{pipeline_config}: ")}


def _there(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"{path}: no such file; run `dvc repro`, which runs the stage that writes it")
    return path


def _read_object(path: Path) -> dict[str, Any]:
    content = _read_json(_there(path))
    if not isinstance(content, dict):
        raise FormatError(f"{path}: expected a JSON object, but got a {type(content).__name__}; run its stage again")
    return content


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FormatError(
            f"{path}: not JSON ({error}); run `dvc repro --force` for the stage that writes it"
        ) from error


def _versions() -> list[tuple[str, str]]:
    versions = [("Python", platform.python_version())]
    for name, package in _PACKAGES.items():
        try:
            versions.append((name, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            versions.append((name, "not installed"))
    return versions
