"""The report stage: everything a run has to show, on one self-contained page."""

import importlib.metadata
import json
import platform
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.gate.policy import Policy
from tasks.dataset.tallies import FEW_IMAGES
from tasks.images.drawing import PALETTE, Thumbnail, class_colours, thumbnail
from tasks.errors import ConfigError, DataError, FormatError
from tasks.ground.files import replacing, sha256_of
from tasks.formats.coco import read_coco, read_detections
from tasks.model.geometry import read_model_geometry
from tasks.metrics.coco import matched
from tasks.metrics.errors import KINDS
from tasks.report_page import curves, dealt, failures, gallery, sections
from tasks.report_page.balance import anchor_fit, balance
from tasks.report_page.examples import examples
from tasks.report_page.gate import gate
from tasks.report_page.outcomes import outcomes
from tasks.report_page.page import render
from tasks.ground.text import printable

if TYPE_CHECKING:
    from tasks.params import ReportParams, Section, ValidateParams

PARTS = ("train", "val", "test")
_PACKAGES = {
    "TensorFlow": "tensorflow",
    "OD API": "tf-object-detection-api",
    "DVC": "dvc",
}
_TFLITE_MAY_LOSE = 0.02
_EXAMPLE_PX = 240
# Of the page, with a margin for its tables and curves: people send it by mail.
_MOST_PAGE_BYTES = 9_000_000
# A box in the gallery with its name, and a picture's text around it.
_MARK_BYTES = 450
_AS_TEXT = 4 / 3
_LEAST_SIDE_PX = 96
_CURVES = (
    ("loss", "Loss", "train/loss.tsv", PALETTE[0]),
    ("rate", "Learning rate", "train/learning_rate.tsv", PALETTE[3]),
    ("val", "Validation mAP", "val/mAP.tsv", PALETTE[1]),
)


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
    parts = {name: read_coco(_there(splits / f"{name}.json")) for name in PARTS}
    test = parts["test"]
    colours = class_colours(test.classes)
    figures = _read_object(metrics_evaluate)
    training = sections.training(_read_object(metrics_train))
    take = partial(_taken, max_megapixels=validate.max_image_megapixels)
    found_by_gate = _gate(
        validate, take, read_coco(_there(ingested)), read_coco(_there(validated)), _read_object(metrics_data)
    )
    room = _MOST_PAGE_BYTES - sum(len(each.picture) for kind in found_by_gate["kinds"] for each in kind["examples"])
    found = read_detections(_there(detections / "saved_model.json"), test)
    shots = _shots(params, take, test, found, colours, room)
    looked_into = detections / "analysis.json"
    analysis = _read_object(looked_into) if looked_into.is_file() else {}
    restore_path, freeze_path = trained / "restore.json", trained / "freeze.json"
    content = {
        **_scores(figures, analysis, parts),
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
        "curves": [*_training_curves(plots_train, training["best_step"]), _precision_recall(plots_evaluate, colours)],
        "frozen": sections.frozen(_read_json(freeze_path) if freeze_path.is_file() else None),
        "restored": sections.restored(_read_object(restore_path) if restore_path.is_file() else {}),
        "findings": sections.findings(_read_json(_there(lint))),
        "gate": found_by_gate,
        "parts": PARTS,
        "balance": balance(read_coco(ingested), read_coco(validated), parts, colours),
        **_fit(read_coco(validated), pipeline_config),
        "split_rows": dealt.split_rows(parts, colours),
        "leaks": dealt.leaks(_read_json(leaks) if (leaks := splits / "leaks.json").is_file() else None, PARTS),
        "dropped": dealt.dropped(_read_json(left) if (left := splits / "dropped.json").is_file() else None),
        "param_rows": sections.param_rows([params, validate, *others]),
        "versions": _versions(),
        "fingerprint": sha256_of(validated),
    }
    page = render(content, printable)
    with replacing(report) as folder:
        folder.mkdir()
        (folder / "index.html").write_text(page, encoding="utf-8")
    return {"page": str(report / "index.html"), "pictures": len(shots), "megabytes": round(len(page) / 1e6, 1)}


def _scores(figures: Mapping[str, Any], analysis: Mapping[str, Any], parts: Mapping[str, Dataset]) -> dict[str, Any]:
    test = parts["test"]
    headlines = sections.headlines(figures, analysis)
    boxes = sum(int((~image.iscrowd).sum()) for image in test.images)
    scored = bool(boxes) and any(pair.saved_model is not None or pair.tflite is not None for pair in headlines)
    difference = headlines[0].difference
    return {
        "scored": scored,
        "why_not_scored": _why_not_scored(parts, boxes),
        "images": len(test.images),
        "boxes": boxes,
        "headlines": headlines,
        "further": sections.further(figures),
        "lost_in_tflite": difference is not None and abs(difference) > _TFLITE_MAY_LOSE,
    }


def _why_not_scored(parts: Mapping[str, Dataset], test_boxes: int) -> str:
    images = sum(len(part.images) for part in parts.values())
    if test_boxes:
        why = "the evaluation holds none. Run the evaluate stage again."
    elif parts["test"].images:
        why = "the test images hold no boxes. Annotate more images, or split with another seed."
    elif images <= FEW_IMAGES:
        why = f"{images} images are too few to cut a test part from. See docs/few-images.md for what to do instead."
    else:
        why = "the test part holds no images. Set split.test_fraction in params.yaml above 0."
    return f"No figures could be had: {why}"


def _shots(
    params: "ReportParams",
    take: Callable[[Path, int], Thumbnail | str],
    test: Dataset,
    found: list[Detections],
    colours: Mapping[str, str],
    room: int,
) -> list[gallery.Shot]:
    """The gallery's pictures, which take at most `room` bytes of the page, boxes included, as far as that can be."""
    chosen = gallery.spread(len(test.images), params.gallery_images)
    outcome = outcomes(test, found, matched(test, found))
    marks = sum(1 + len(test.images[i].classes) + len(found[i].above(params.score_threshold).classes) for i in chosen)
    paths = [test.image_path(test.images[i]) for i in chosen]
    jpegs = _pictures(paths, params.thumbnail_px, take, int((room - marks * _MARK_BYTES) / _AS_TEXT))
    shots = [
        gallery.shot(test.images[i], found[i], outcome[i], colours, jpeg, params.score_threshold)
        for i, jpeg in zip(chosen, jpegs, strict=True)
    ]
    return sorted(shots, key=lambda shot: -(shot.missed + shot.false))


def _pictures(
    paths: list[Path], side_px: int, take: Callable[[Path, int], Thumbnail | str], room: int
) -> list[bytes | None]:
    """A small JPEG of each image, None of those that cannot be read; smaller until all of them fit into `room`."""
    while True:
        taken = [take(path, side_px) for path in tqdm(paths, desc="gallery", unit="image", disable=not paths)]
        jpegs = [None if isinstance(picture, str) else picture.jpeg for picture in taken]
        total = sum(len(jpeg) for jpeg in jpegs if jpeg is not None)
        if total <= room or side_px <= _LEAST_SIDE_PX:
            return jpegs
        # A small picture has more bytes a pixel than a large one, so what would fit by area is not small enough.
        side_px = max(_LEAST_SIDE_PX, int(side_px * 0.95 * (max(room, 1) / total) ** 0.5))


def _taken(path: Path, max_side_px: int, max_megapixels: float) -> Thumbnail | str:
    """A small picture, or why there is none: an image that the gate refused, or that has gone or broken since."""
    try:
        return thumbnail(path, max_side_px, max_megapixels=max_megapixels)
    except FormatError as error:
        return str(error).removeprefix(f"{path}: ")


def _gate(
    params: "ValidateParams",
    take: Callable[[Path, int], Thumbnail | str],
    before: Dataset,
    after: Dataset,
    metrics: Mapping[str, Any],
) -> dict[str, Any]:
    shown = examples(
        after.problems,
        {before.image_path(image).as_posix() for image in before.images},
        {after.image_path(image).as_posix(): image.boxes for image in after.images},
        lambda path: take(path, _EXAMPLE_PX),
    )
    return gate(metrics, after.problems, Policy(params.on_problem, params.policy), shown)


def _fit(dataset: Dataset, pipeline_config: Path) -> dict[str, Any]:
    try:
        return {"fit": anchor_fit(dataset, read_model_geometry(pipeline_config)), "why_no_fit": ""}
    except ConfigError as error:
        return {"fit": None, "why_no_fit": str(error).removeprefix(f"{pipeline_config}: ")}


def _training_curves(plots: Path, best_step: float | None) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for name, title, table, colour in _CURVES:
        curve = curves.read_curve(plots / "plots" / "metrics" / table)
        mark = best_step if name == "val" else None
        label = f"{title} over training steps"
        noisy = name == "loss"
        svg = curves.curve_svg(curve, name, label=label, colour=colour, noisy=noisy, mark_step=mark) if curve else None
        note = "Dotted: the step whose weights are shipped." if mark is not None else ""
        missing = f"The training run recorded no {title[0].lower()}{title[1:]}."
        numbers = {"of": "step", "columns": [title], "rows": curves.numbers_of(curve)}
        shown.append({"title": title, "svg": svg, "note": note, "legend": [], "missing": missing, "numbers": numbers})
    return shown


def _precision_recall(plots: Path, colours: Mapping[str, str]) -> dict[str, Any]:
    path = plots / "precision_recall.json"
    rows = _read_json(path) if path.is_file() else []
    title, missing = "Precision against recall, IoU 0.50", "The evaluation recorded no precision-recall curve."
    if not rows:
        return {"title": title, "svg": None, "note": "", "legend": [], "missing": missing}
    try:
        svg, legend = curves.precision_recall_svg(rows, "pr", colours)
        columns, table = curves.precision_numbers(rows)
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: not rows of class, recall, precision ({error!r}); run evaluate again") from error
    numbers = {"of": "recall", "columns": columns, "rows": table}
    return {"title": title, "svg": svg, "note": "", "legend": legend, "missing": missing, "numbers": numbers}


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
