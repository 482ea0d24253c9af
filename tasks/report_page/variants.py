"""The exported variants on the page: a table, and mAP against latency as a drawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup

from tasks.artifacts.speed import Latency, ModelSpeed, Speed
from tasks.artifacts.variant_losses import VariantLoss, VariantLosses
from tasks.metrics.loss_texts import interval_or_reason, remarks
from tasks.model.variants import purpose_of
from tasks.params import VariantName
from tasks.report_page.curves import INK, STYLE, new_figure, svg_of

# Each variant's own, the same in every report; with 3:1 or more on the page's light and dark ground (WCAG 2.2, 1.4.11).
# Names stand in the text's colour.
COLOURS: Mapping[VariantName, str] = {
    "float32": "#1f77b4",
    "float16": "#2a8a3a",
    "dynamic": "#a9691c",
    "int8": "#c8384d",
    "onnx": "#8a5fc0",
}
# Room for a name, in points.
_NAME_HEIGHT = 15.0
# The axis is longer than the slowest variant's time by so much; names are written in what is over.
_WIDTH_A_SLOWEST, _NAMES_FROM = 1.4, 1.14
# The area of a dot for each megabyte, in square points.
_AREA_A_MB, _LEAST_AREA = 60.0, 40.0


@dataclass(frozen=True)
class VariantRow:
    """One variant.

    Attributes:
        loss: what it loses.
        interval: where that lies for all such images, 95 %, or why it is not known.
        latencies: of its runtime alone, for each of the table's numbers of threads.
        purpose: what to take it for.
    """

    loss: VariantLoss
    interval: str
    latencies: list[Latency | None]
    purpose: str


@dataclass(frozen=True)
class VariantTable:
    """All variants.

    Attributes:
        threads: the numbers of threads that were timed.
        machine: that timed them.
        picture: mAP against the latency on one thread; None where nothing was timed or scored.
        remarks: sentences on the variants that were left out, and on losses that are not proven.
    """

    rows: list[VariantRow]
    threads: list[int]
    machine: str
    picture: Markup | None
    remarks: list[str]


def variant_table(losses: VariantLosses, speed: Speed | None) -> VariantTable | None:
    """The variants that were evaluated or left out; None where there are none."""
    if not losses.scored and not losses.left_out:
        return None
    speed = speed or Speed()
    models = [speed.models.get(each.name, ModelSpeed()) for each in losses.scored]
    threads = sorted({count for model in models for count in model.by_threads})
    rows = [
        VariantRow(
            each,
            interval_or_reason(each.difference, each.interval, losses.carriers),
            [model.by_threads.get(count) for count in threads],
            purpose_of(each.name, takes_pixels=each.takes_pixels),
        )
        for each, model in zip(losses.scored, models, strict=True)
    ]
    return VariantTable(
        rows,
        threads,
        speed.machine,
        _picture(losses.scored, models),
        remarks(losses),
    )


def _picture(losses: Sequence[VariantLoss], models: Sequence[ModelSpeed]) -> Markup | None:
    """A dot for each variant: its area is its size, its bar the interval of its difference to the SavedModel."""
    dots = [
        (each, each.mean_ap, model.by_threads[1].p50_ms)
        for each, model in zip(losses, models, strict=True)
        if each.mean_ap is not None and 1 in model.by_threads
    ]
    if not dots:
        return None
    slowest = max(p50_ms for _, _, p50_ms in dots)
    with mpl.rc_context(STYLE):
        figure, axes = new_figure((6.4, 3.6))
        reference = [
            each.mean_ap - each.difference for each, _, _ in dots if each.mean_ap and each.difference is not None
        ]
        if reference:
            # As far as the names.
            axes.plot([0.0, _NAMES_FROM * slowest], 2 * [reference[0]], color=INK, linewidth=1, linestyle=":")
            axes.annotate("SavedModel", (0.0, reference[0]), xytext=(4, 2), textcoords="offset points", color=INK)
        for each, mean_ap, p50_ms in dots:
            colour = COLOURS[each.name]
            if each.interval is not None and each.difference is not None:
                base = mean_ap - each.difference
                axes.vlines(p50_ms, base + each.interval.low, base + each.interval.high, color=colour, linewidth=1.5)
            axes.scatter(p50_ms, mean_ap, s=max(_LEAST_AREA, _AREA_A_MB * each.size_mb), color=colour, alpha=0.55)
        axes.set_xlim(left=0.0, right=_WIDTH_A_SLOWEST * slowest)
        axes.margins(y=0.25)
        axes.set(xlabel="ms for an image, 1 thread (median), the runtime alone", ylabel="mAP")
        figure.draw_without_rendering()
        _write_names(axes, [(each.name, p50_ms, mean_ap) for each, mean_ap, p50_ms in dots])
        return svg_of(figure, "variants", "mAP of each variant against its latency; the area of a dot is its size")


def _write_names(axes: Any, dots: Sequence[tuple[VariantName, float, float]]) -> None:
    """The name of each `(name, x, y)` in a column beside all dots, at its dot's height or as near as others leave it.

    A line in the variant's colour leads from the dot to its name.
    """
    points_a_pixel = 72 / axes.figure.dpi
    to_points = axes.transData.transform
    low, high = (y * points_a_pixel for y in axes.transAxes.transform([(0, 0), (0, 1)])[:, 1])
    placed = sorted(
        ((to_points((x, y))[1] * points_a_pixel, name, x, y) for name, x, y in dots), key=lambda dot: dot[0]
    )
    heights = spread([height for height, *_ in placed], _NAME_HEIGHT, low + _NAME_HEIGHT, high)
    right = _NAMES_FROM * max(x for _, x, _ in dots)
    for (_, name, x, y), height in zip(placed, heights, strict=True):
        beside = axes.transData.inverted().transform((0, height / points_a_pixel))[1]
        axes.plot([x, right], [y, beside], color=COLOURS[name], linewidth=0.8)
        axes.annotate(
            name, (right, beside), xytext=(4, 0), textcoords="offset points", va="center", color=INK, clip_on=False
        )


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """`places`, in rising order, moved so that neighbours are `gap` or more apart and all lie in `low`..`high`.

    Where there is too little room for that, they go beyond `high`.
    """
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap if moved else low))
    # Back down from the top, so that a group stands around its places and not above them.
    limit = high
    for i in reversed(range(len(moved))):
        wanted = (places[i] + moved[i]) / 2
        moved[i] = max(min(wanted, limit), low + i * gap)
        limit = moved[i] - gap
    return moved
