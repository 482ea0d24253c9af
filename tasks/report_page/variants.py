"""The exported variants on the page: a table, and mAP against latency as a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from markupsafe import Markup

from tasks.artifacts.speed import Latency, ModelSpeed, Speed
from tasks.artifacts.variant_losses import VariantLoss, VariantLosses
from tasks.images.drawing import PALETTE
from tasks.metrics.loss_texts import interval_or_reason, remarks
from tasks.model.variants import purpose_of
from tasks.report_page.curves import INK, STYLE, new_figure, svg_of

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
    with mpl.rc_context(STYLE):
        figure, axes = new_figure((6.4, 3.6))
        reference = [
            each.mean_ap - each.difference for each, _, _ in dots if each.mean_ap and each.difference is not None
        ]
        if reference:
            axes.axhline(reference[0], color=INK, linewidth=1, linestyle=":")
            axes.annotate(
                "SavedModel", (0.01, reference[0]), xycoords=("axes fraction", "data"), ha="left", va="bottom"
            )
        for number, (each, mean_ap, p50_ms) in enumerate(dots):
            colour = PALETTE[number % len(PALETTE)]
            if each.interval is not None and each.difference is not None:
                base = mean_ap - each.difference
                axes.vlines(p50_ms, base + each.interval.low, base + each.interval.high, color=colour, linewidth=1.5)
            axes.scatter(p50_ms, mean_ap, s=max(_LEAST_AREA, _AREA_A_MB * each.size_mb), color=colour, alpha=0.55)
            # To one side of the bar, and in turn above and below: variants often lie close together.
            place = (5, 16) if number % 2 == 0 else (5, -22)
            axes.annotate(each.name, (p50_ms, mean_ap), xytext=place, textcoords="offset points", color=colour)
        axes.set_xlim(left=0.0, right=1.15 * max(p50_ms for _, _, p50_ms in dots))
        axes.margins(y=0.25)
        axes.set(xlabel="ms for an image, 1 thread (median)", ylabel="mAP")
        return svg_of(figure, "variants", "mAP of each variant against its latency; the area of a dot is its size")
