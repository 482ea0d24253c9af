"""The page of the command learning-curve: the answer, the curve with its band, the trainings."""

import matplotlib as mpl
from markupsafe import Markup

from tasks.artifacts.learning_curve import MeasuredCurve
from tasks.ground.text import printable
from tasks.images.drawing import PALETTE
from tasks.metrics.more_data_texts import answer_lines, gain_interval_text
from tasks.report_page.curves import INK, STYLE, new_figure, svg_of
from tasks.report_page.page import render

# Of mAP: on a closer scale, chance looks like something.
_LEAST_SPAN = 0.2
_CURVE, _TRAININGS = PALETTE[0], PALETTE[1]


def learning_curve_page(measured: MeasuredCurve) -> str:
    """The whole page, self-contained."""
    curve = measured.curve
    return render(
        {
            "measured": measured,
            "answers": answer_lines(measured),
            "gain_interval": gain_interval_text(curve.gain) if curve else "",
            "drawing": learning_curve_svg(measured),
            "curve_colour": _CURVE,
            "trainings_colour": _TRAININGS,
        },
        printable,
        "learning_curve.html.j2",
    )


def learning_curve_svg(measured: MeasuredCurve) -> Markup:
    """The mAP against images: a dot for each training, the fitted curve and its 95 % band to twice the images."""
    with mpl.rc_context(STYLE):
        figure, axes = new_figure((6.4, 3.8))
        if measured.curve:
            places = measured.curve.places
            images = [place.images for place in places]
            low, high = zip(*(place.expected.interval for place in places), strict=True)
            axes.fill_between(images, low, high, color=_CURVE, alpha=0.18, linewidth=0)
            axes.plot(images, [place.expected.value for place in places], color=_CURVE, linewidth=2)
            axes.axvline(measured.sizes[-1].images, color=INK, linewidth=1, linestyle=":", alpha=0.7)
        for row in measured.sizes:
            axes.plot([row.images] * len(row.scores), row.scores, "o", color=_TRAININGS, markersize=5, alpha=0.85)
        bottom, top = axes.get_ylim()
        more = max(0.0, _LEAST_SPAN - (top - bottom)) / 2
        axes.set_ylim(max(0.0, bottom - more), min(1.0, top + more))
        axes.set_xlim(left=0)
        axes.set(xlabel="training images", ylabel="mAP")
        return svg_of(figure, "curve", "mAP against the number of training images")
