"""A learning curve in words: the lines that the command prints and its page shows."""

from tasks.artifacts.learning_curve import Expected, FittedCurve, MeasuredCurve
from tasks.ground.figures import change_text, figure_text, interval_text, minus
from tasks.ground.text import counted


def answer_lines(measured: MeasuredCurve) -> list[str]:
    """What twice the labels would bring, or why that cannot be told; and how many test images show a gain."""
    curve = measured.curve
    first = [measured.why_no_curve] if curve is None else _doubled(curve, measured.sizes[-1].images)
    return [*first, _test_images(measured)]


def size_lines(measured: MeasuredCurve) -> list[str]:
    """`25 % (26 images): mAP 0.412 (0.391, 0.420, 0.425)` for each size."""
    return [
        f"{row.percent} % ({counted(row.images, 'image')}): mAP {figure_text(row.mean)} "
        f"({', '.join(figure_text(score) for score in row.scores)})"
        for row in measured.sizes
    ]


def gain_interval_text(gain: Expected) -> str:
    """`+0.01 to +0.08`."""
    return minus(" to ".join(f"{end:+.2f}" for end in gain.interval))


def _doubled(curve: FittedCurve, images: int) -> list[str]:
    doubled, now = (
        f"{figure_text(each.value, 2)} ({interval_text(each.interval)})" for each in (curve.doubled, curve.now)
    )
    gain = f"{change_text(curve.gain.value, 2)} ({gain_interval_text(curve.gain)})"
    lines = [f"twice the labels ({2 * images} images): mAP {doubled}, now {now}; on the same images {gain}"]
    if not curve.fits:
        lines.append(
            "the sizes lie further from the curve than chance explains: what is said of twice the labels is a guess"
        )
    return lines


def _test_images(measured: MeasuredCurve) -> str:
    gain, needed = f"{measured.gain_to_see:.2f}", measured.images_to_see_gain
    if needed is None:
        return f"how many test images show a gain of {gain} is not known: all trainings found the same"
    have = measured.scored.get("test", 0)
    return f"to see a gain of {gain} takes about {_rounded(needed)} test images, you have {have}"


def _rounded(number: int) -> int:
    """With two digits: the spread that it is computed from is not known better."""
    zeros = max(0, len(str(number)) - 2)
    return int(round(number, -zeros))
