"""Figures as text: three digits, a dash where there is nothing to show."""

NOTHING = "-"
_WHOLE_FROM_MS = 10.0
_LEAST_P = 0.001


def figure_text(value: float | None, digits: int = 3, nothing: str = NOTHING) -> str:
    """`value` with `digits` digits after the point; `nothing` for None."""
    return nothing if value is None else f"{value:.{digits}f}"


def change_text(value: float, digits: int = 3) -> str:
    """A difference with its sign, a true minus, which is as wide as a plus; `±0` for what is rounded to nothing."""
    return "±0" if round(abs(value), digits) == 0 else minus(f"{value:+.{digits}f}")


def minus(text: str) -> str:
    """A negative number of `text` with a true minus."""
    return text.replace("-", "\u2212")


def milliseconds_text(value: float | None, nothing: str = NOTHING) -> str:
    """A time in ms: whole from 10 ms on, where the next digit differs from run to run; `nothing` for None."""
    return figure_text(value, 1 if value is not None and round(value, 1) < _WHOLE_FROM_MS else 0, nothing)


def p_text(value: float) -> str:
    """A p value: `0.021`; `< 0.001` below that."""
    return f"< {_LEAST_P}" if value < _LEAST_P else figure_text(value)


def interval_text(ends: tuple[float, float] | None, nothing: str = NOTHING) -> str:
    """`0.61 to 0.71`; `nothing` for None."""
    return nothing if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"
