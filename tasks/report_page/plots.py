"""The curves of a page: training over its steps, precision against recall."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import FormatError
from tasks.ground.files import read_json
from tasks.images.drawing import PALETTE
from tasks.report_page import curves

if TYPE_CHECKING:
    pass

_CURVES = (
    ("loss", "Loss", "train/loss.tsv", PALETTE[0]),
    ("rate", "Learning rate", "train/learning_rate.tsv", PALETTE[3]),
    ("val", "Validation mAP", "val/mAP.tsv", PALETTE[1]),
)


def training_curves(plots: Path, best_step: float | None) -> list[dict[str, Any]]:
    """The curves of a training run, as what the template shows; `svg` is None where a run recorded none."""
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


def precision_recall_curve(plots: Path, colours: Mapping[str, str]) -> dict[str, Any]:
    """Precision against recall, for the average and for each class.

    Raises:
        FormatError: the file of the curve is damaged.
    """
    path = plots / "precision_recall.json"
    rows = read_json(path, "JSON") if path.is_file() else []
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
