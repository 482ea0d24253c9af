"""The drawings of the study's page: loss and mAP of every run, against steps and against time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import numpy as np
from markupsafe import Markup

from studies.freeze.figures import FreezeRun, ModelFigures
from studies.freeze.record import Curve
from tasks.report_page.curves import STYLE, new_figure, svg_of

# Of Okabe and Ito's palette, which colour-blind readers can tell apart.
_COLOURS = ("#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00", "#CC79A7")
_WINDOW = 10


def colours_of(arms: Iterable[str]) -> dict[str, str]:
    """The colour of each arm in drawings and legend."""
    return dict(zip(arms, cycle(_COLOURS), strict=False))


def pictures(found: ModelFigures) -> list[tuple[str, Markup]]:
    """`(title, drawing)`; the rows of `found` are in the order of study.yaml."""
    colours = colours_of(row.arm for row in found.rows)

    def of_each(curve_of: Callable[[FreezeRun], Curve]) -> dict[str, list[Curve]]:
        return {arm: [curve_of(run) for run in runs] for arm, runs in found.runs.items()}

    losses = of_each(lambda run: _smooth(run.record.curves.loss))
    ranked = sorted(found.rows, key=lambda row: row.mean_ap)
    best, worst = ranked[-1].arm, ranked[0].arm
    drawings = (
        ("Training loss against step", losses, "step"),
        (
            "Training loss against time",
            of_each(lambda run: _smooth(run.over_time(run.record.curves.loss))),
            "seconds",
        ),
        ("Validation mAP against time", of_each(lambda run: run.over_time(run.record.curves.mAP)), "seconds"),
        (f"Best ({best}) against worst ({worst}) test mAP: loss", {arm: losses[arm] for arm in (best, worst)}, "step"),
    )
    return [
        (title, _drawing(curves, colours, f"{found.model}-{number}", title, axis))
        for number, (title, curves, axis) in enumerate(drawings)
    ]


def _drawing(
    arms: Mapping[str, Sequence[Curve]], colours: Mapping[str, str], name: str, title: str, axis: str
) -> Markup:
    """Every seed faintly, and their mean."""
    with mpl.rc_context(STYLE):
        figure, axes = new_figure()
        for arm, curves in arms.items():
            for curve in curves:
                axes.plot(*np.array(curve).T, color=colours[arm], linewidth=0.8, alpha=0.35)
            # Point by point: seeds validate at the same steps, though not after equally many seconds.
            axes.plot(*np.array(curves, dtype=np.float64).mean(axis=0).T, color=colours[arm], linewidth=2)
        axes.set_xlabel(axis)
        axes.set_ylim(bottom=0)
        return svg_of(figure, name, title)


def _smooth(curve: Curve) -> Curve:
    """The mean of each stretch of ten steps: one batch's loss says little."""
    points = np.array(curve, dtype=np.float64)
    return [tuple(stretch.mean(axis=0)) for stretch in np.array_split(points, max(1, len(points) // _WINDOW))]
