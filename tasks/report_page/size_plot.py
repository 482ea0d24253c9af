"""Box sizes and anchors as one drawing: width against height at the model's input, both in octaves."""

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from tasks.images.drawing import PALETTE
from tasks.model.anchors import Sizes, best_iou
from tasks.model.geometry import ModelGeometry
from tasks.report_page.curves import INK, STYLE, new_figure, svg_of

REACHED, BEYOND = PALETTE[4], PALETTE[2]
# Boxes are gathered in cells of a quarter octave, so that a million make no larger a drawing than a hundred.
_CELLS_AN_OCTAVE = 4
_SMALLEST_PX = 1.0
_GRID = 120
_LARGEST_DOT = 90.0


def size_svg(sizes: Sizes, reached: npt.NDArray[np.bool_], geometry: ModelGeometry, name: str) -> Markup:
    """Boxes as dots whose area is their number, in two colours; anchors as crosses; grey is what they can match.

    `sizes` is `(N, 2)`, N at least 1, `reached` `(N,)`. `name` makes the ids in the page unique.
    """
    logs = np.log2(np.maximum(sizes, _SMALLEST_PX))
    anchors = np.log2(geometry.anchors.sizes)
    low, high = np.floor(min(logs.min(), anchors.min())), np.ceil(max(logs.max(), anchors.max()))
    cells = [_cells(logs[mask]) for mask in (reached, ~reached)]
    most = max(counts.max(initial=1) for _, counts in cells)
    with mpl.rc_context(STYLE):
        figure, axes = new_figure((5.2, 4.9))
        axis = np.linspace(low, high, _GRID)
        across, down = np.meshgrid(axis, axis)
        fit = best_iou(2 ** np.stack([across.ravel(), down.ravel()], axis=1), geometry.anchors).reshape(across.shape)
        axes.contourf(across, down, fit, levels=[geometry.matched_iou, 1.01], colors=[INK], alpha=0.1)
        # What no anchor reaches is seldom much, and must be seen.
        for (centres, counts), colour, least in zip(cells, (REACHED, BEYOND), (7.0, 16.0), strict=True):
            areas = np.maximum(least, _areas(counts, most))
            for area in np.unique(areas):
                # Dots of one size are one shape in the drawing, told once.
                axes.scatter(*centres[areas == area].T, s=area, color=colour, alpha=0.75, linewidths=0)
        axes.scatter(*anchors.T, s=34, marker="+", color=INK, linewidths=1.1)
        ticks = np.arange(low, high + 1)
        labels = [f"{2**tick:g}" for tick in ticks]
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.set(xlabel="width, px", ylabel="height, px")
        return svg_of(figure, name, "Width against height of boxes at the model's input, with its anchors")


def _cells(logs: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """`(M, 2)` centres of the cells that hold boxes, and how many each holds."""
    cells, counts = np.unique(np.floor(logs * _CELLS_AN_OCTAVE), axis=0, return_counts=True)
    return (cells + 0.5) / _CELLS_AN_OCTAVE, counts


def _areas(counts: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.float64]:
    """Areas of dots in proportion to `counts`, in steps of a half more each."""
    steps = np.round(np.log(counts / most) / np.log(1.5))
    return np.asarray(_LARGEST_DOT * 1.5**steps)
