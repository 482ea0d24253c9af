"""The curves of a page: training over its steps, precision against recall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from tasks.artifacts.precision_recall import CurvePoint
from tasks.images.drawing import PALETTE
from tasks.report_page import curves

_CURVES = (
    ("loss", "Loss", "train/loss.tsv", PALETTE[0]),
    ("rate", "Learning rate", "train/learning_rate.tsv", PALETTE[3]),
    ("val", "Validation mAP", "val/mAP.tsv", PALETTE[1]),
)


@dataclass(frozen=True)
class Numbers:
    """Some points of curves as a table: a row has its place (a step, a recall) and a value for each column."""

    of: str
    columns: list[str]
    rows: Sequence[tuple[float, Sequence[float | None]]]


@dataclass(frozen=True)
class Plot:
    """One drawing of the page.

    Attributes:
        svg: the drawing; None where nothing is recorded, and then `missing` is shown.
        legend: names and colours of its curves.
    """

    title: str
    missing: str
    svg: Markup | None = None
    note: str = ""
    legend: Sequence[tuple[str, str]] = ()
    numbers: Numbers | None = None


def training_plots(folder: Path, best_step: float | None, border: float | None = None) -> list[Plot]:
    """The curves of a training run, from dvclive's tables in `folder`; `border` is the first of two phases' last step.

    Raises:
        FormatError: a table is damaged.
    """
    return [_training_plot(folder, best_step, border, *entry) for entry in _CURVES]


def precision_recall_plot(points: Sequence[CurvePoint], colours: Mapping[str, str]) -> Plot:
    """Precision against recall, for the average and for each class."""
    title, missing = "Precision against recall, IoU 0.50", "The evaluation recorded no precision-recall curve."
    if not points:
        return Plot(title, missing)
    svg, legend = curves.precision_recall_svg(points, "pr", colours)
    columns, rows = curves.precision_numbers(points)
    return Plot(title, missing, svg, legend=legend, numbers=Numbers("recall", columns, rows))


def _training_plot(
    folder: Path, best_step: float | None, border: float | None, name: str, title: str, table: str, colour: str
) -> Plot:
    missing = f"The training run recorded no {title[0].lower()}{title[1:]}."
    curve = curves.read_curve(folder / "plots" / "metrics" / table)
    if not curve:
        return Plot(title, missing)
    mark = best_step if name == "val" else None
    svg = curves.curve_svg(
        curve,
        name,
        label=f"{title} over training steps",
        colour=colour,
        noisy=name == "loss",
        mark_step=mark,
        border=border,
    )
    notes = ["Dotted: the step whose weights are shipped."] if mark is not None else []
    notes += ["Dashed: where the second phase begins."] if border is not None else []
    note = " ".join(notes)
    return Plot(title, missing, svg, note, numbers=Numbers("step", [title], curves.numbers_of(curve)))
