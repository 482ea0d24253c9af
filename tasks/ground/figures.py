"""Figures as text: three digits, a dash where there is nothing to show."""

NOTHING = "-"


def figure_text(value: float | None, digits: int = 3, nothing: str = NOTHING) -> str:
    """`value` with `digits` digits after the point; `nothing` for None."""
    return nothing if value is None else f"{value:.{digits}f}"


def interval_text(ends: tuple[float, float] | None, nothing: str = NOTHING) -> str:
    """`0.61 to 0.71`; `nothing` for None."""
    return nothing if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"
