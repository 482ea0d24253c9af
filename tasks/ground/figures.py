"""Figures as text: three digits, a dash where there is nothing to show."""

import math
from collections.abc import Sequence

NOTHING = "-"
_WHOLE_FROM_MS = 10.0
_LEAST_P = 0.001


def figure_text(value: float | None, digits: int = 3, nothing: str = NOTHING) -> str:
    """`value` with `digits` digits after the point; `nothing` for None."""
    return nothing if value is None else f"{value:.{digits}f}"


def change_text(value: float, digits: int = 3) -> str:
    """A difference with its sign, a true minus, which is as wide as a plus; `±0` for what is rounded to nothing."""
    return "±0" if round(abs(value), digits) == 0 else minus(f"{value:+.{digits}f}")


def rounded_parts(whole: float, parts: Sequence[float], digits: int = 3) -> list[float]:
    """`parts` rounded so that they add up to `whole` as it is rounded: what is shown adds up to the last digit.

    Each is off by less than one of the last digit. Those that rounding down takes most from are rounded up (the
    method of largest remainders).
    """
    unit = 10**digits
    down = [math.floor(part * unit) for part in parts]
    # As formatting rounds it.
    missing = round(float(f"{whole:.{digits}f}") * unit) - sum(down)
    order = sorted(range(len(parts)), key=lambda i: down[i] - parts[i] * unit)
    for i in order[:missing]:
        down[i] += 1
    return [value / unit for value in down]


def minus(text: str) -> str:
    """A negative number of `text` with a true minus."""
    return text.replace("-", "\u2212")


def milliseconds_text(value: float | None, nothing: str = NOTHING) -> str:
    """A time in ms: whole from 10 ms on, where the next digit differs from run to run; `nothing` for None."""
    return figure_text(value, 1 if value is not None and round(value, 1) < _WHOLE_FROM_MS else 0, nothing)


def duration_text(seconds: float) -> str:
    """`40 s`, `7 minutes`, `2.5 hours`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"


def p_text(value: float) -> str:
    """A p value: `0.021`; `< 0.001` below that."""
    return f"< {_LEAST_P}" if value < _LEAST_P else figure_text(value)


def interval_text(ends: tuple[float, float] | None, nothing: str = NOTHING) -> str:
    """`0.61 to 0.71`; `nothing` for None."""
    return nothing if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"
