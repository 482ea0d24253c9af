"""Training curves and the precision-recall curve as inline SVG: equal input gives equal bytes.

Axes and letters take the page's text colour (`currentColor`), so that one drawing serves light and dark.
"""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from tasks.artifacts.precision_recall import CurvePoint
from tasks.errors import FormatError
from tasks.ground.text import printable

Curve = list[tuple[float, float]]

# A colour nothing else uses; replaced by the page's text colour once the SVG is written.
INK = "#010203"
_MOST_POINTS = 400
_NUMBERS = 10
STYLE = {
    "svg.hashsalt": "report",
    "svg.fonttype": "none",
    "font.size": 11,
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "axes.linewidth": 0.8,
}
_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def read_curve(path: Path) -> Curve:
    """`(step, value)` pairs from one of dvclive's tables, in step order.

    A missing file gives no pairs; of equal steps, after a resume, the last counts; values that are not finite are left
    out, as no line can show them.

    Raises:
        FormatError: the file is there and is no such table.
    """
    if not path.is_file():
        return []
    points: dict[float, float] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                points[float(row["step"])] = float(row[path.stem])
    except (UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{path}: not a table with the columns step and {path.stem} ({error!r}); run the train stage again"
        ) from error
    return sorted((step, value) for step, value in points.items() if math.isfinite(step) and math.isfinite(value))


def curve_svg(
    curve: Curve,
    name: str,
    *,
    label: str,
    colour: str,
    noisy: bool = False,
    mark_step: float | None = None,
    border: float | None = None,
) -> Markup:
    """A line over training steps; `mark_step` gets a dotted upright, `border` a dashed one.

    `name` makes the ids in the page unique.

    With `noisy`, many points are drawn faintly, with their moving average on top.
    """
    steps, values = _thinned(np.array(curve, dtype=np.float64))
    with mpl.rc_context(STYLE):
        figure, axes = new_figure()
        many = len(values) >= 40
        faint = noisy and many
        width, alpha = (1, 0.35) if faint else (2, 1)
        axes.plot(steps, values, color=colour, linewidth=width, alpha=alpha, marker="" if many else "o", markersize=4)
        if faint:
            axes.plot(steps, _smooth(values), color=colour, linewidth=2)
        if mark_step is not None:
            axes.axvline(mark_step, color=INK, linewidth=1, linestyle=":", alpha=0.7)
        if border is not None:
            axes.axvline(border, color=INK, linewidth=1, linestyle="--", alpha=0.4)
        if values.min() >= 0:
            axes.set_ylim(0, values.max() * 1.08 or 1)
        axes.set_xlabel("step")
        return svg_of(figure, name, label)


def precision_recall_svg(
    points: Sequence[CurvePoint], name: str, colours: Mapping[str, str]
) -> tuple[Markup, list[tuple[str, str]]]:
    """The precision-recall curves of `points`, and a legend: each curve's name and CSS colour, in their order.

    The first curve is the average, drawn thick in the text's colour. Of names the drawing holds only titles of points.
    """
    curves: dict[str, Curve] = {}
    for point in points:
        curves.setdefault(point.class_, []).append((point.recall, point.precision))
    average = next(iter(curves))
    legend = [(key, "currentColor" if key == average else colours.get(key, "#888888")) for key in curves]
    with mpl.rc_context(STYLE):
        figure, axes = new_figure()
        for key, colour in reversed(legend):
            recall, precision = np.array(curves[key], dtype=np.float64).T
            thick = key == average
            axes.plot(recall, precision, color=INK if thick else colour, linewidth=2.6 if thick else 1.6)
        axes.set(xlim=(0, 1.005), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        drawing = svg_of(figure, name, "Precision against recall at IoU 0.5")
        return drawing.replace("</svg>", _tooltips(figure, axes, points) + Markup("</svg>")), legend


def _tooltips(figure: Any, axes: Any, points: Sequence[CurvePoint]) -> Markup:
    """Circles to point at on each curve: each names its curve, recall, precision and score."""
    circles = []
    for point in points[:: -(-len(points) // _MOST_POINTS)] if points else []:
        # In points of 1/72 inch, as the drawing is, which counts them from its top; savefig has laid the axes out.
        x, y = axes.transData.transform((point.recall, point.precision)) * 72 / figure.dpi
        title = f"{point.class_}: recall {point.recall:.2f}, precision {point.precision:.3f}" + (
            f", score {point.score:.2f}" if point.score else ""
        )
        circles.append(
            Markup('<circle class="point" cx="{:.1f}" cy="{:.1f}" r="5"><title>{}</title></circle>').format(
                x, figure.get_size_inches()[1] * 72 - y, printable(title)
            )
        )
    return Markup("").join(circles)


def numbers_of(curve: Curve) -> list[tuple[float, list[float]]]:
    """Some ten rows `(step, [value])` of a curve, with its last, for readers who cannot see or point at a drawing."""
    every = max(1, len(curve) // _NUMBERS)
    return [(step, [value]) for step, value in curve[::-every][::-1]]


def precision_numbers(points: Sequence[CurvePoint]) -> tuple[list[str], list[tuple[float, list[float | None]]]]:
    """The curves' names, and `(recall, [precision of each])` for recalls 0, 0.1, .. 1."""
    at: dict[str, dict[float, float]] = {}
    for point in points:
        at.setdefault(point.class_, {})[round(point.recall, 2)] = point.precision
    recalls = [tenth / _NUMBERS for tenth in range(_NUMBERS + 1)]
    return list(at), [(recall, [own.get(recall) for own in at.values()]) for recall in recalls]


def new_figure(size_inches: tuple[float, float] = (5.2, 3.1)) -> tuple[Any, Any]:
    """A figure for `svg_of` with one pair of axes; to be made inside `rc_context(STYLE)`."""
    figure = Figure(figsize=size_inches, layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def svg_of(figure: Any, name: str, label: str) -> Markup:
    """The drawing for the page: in its colours, with ids that no other drawing has; it may hold no text of others."""
    content = io.StringIO()
    figure.savefig(content, format="svg", transparent=True, metadata=_METADATA)
    text = content.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # Ids are unique in one drawing, and several drawings stand in one page.
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{name}-", text)
    head = Markup('<svg class="plot" role="img" aria-label="{}"').format(label)
    return head + Markup(text.removeprefix("<svg"))  # noqa: S704 - numbers only


def _thinned(points: Any) -> tuple[Any, Any]:
    """Steps and values, at most 400 of each: beyond, each is the mean of a stretch."""
    if len(points) > _MOST_POINTS:
        points = np.array([stretch.mean(axis=0) for stretch in np.array_split(points, _MOST_POINTS)])
    return points[:, 0], points[:, 1]


def _smooth(values: Any) -> Any:
    """The moving average over a tenth of the curve, each end averaged over what there is."""
    window = np.ones(max(3, len(values) // 10))
    return np.convolve(values, window, "same") / np.convolve(np.ones_like(values), window, "same")
