"""Figures as text, and parts that add up as they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ground.figures import duration_text, rounded_parts


@pytest.mark.parametrize(
    ("whole", "parts", "expected"),
    [
        # Each alone would be rounded down, and 0.000 + 0.000 is not 0.001.
        (0.0008, (0.0004, 0.0004), [0.001, 0.0]),
        (0.001, (0.0006, 0.0004), [0.001, 0.0]),
        # Each alone would be rounded up.
        (0.0012, (0.0006, 0.0006), [0.001, 0.0]),
        (-0.0008, (-0.0004, -0.0004), [0.0, -0.001]),
        (0.1, (0.3, -0.2), [0.3, -0.2]),
        (0.0, (0.0, 0.0), [0.0, 0.0]),
    ],
)
def test_rounded_parts_add_up(whole: float, parts: tuple[float, float], expected: list[float]) -> None:
    assert rounded_parts(whole, parts) == pytest.approx(expected)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=4))
def test_any_rounded_parts_add_up_to_the_last_digit_and_none_is_off_by_more_than_one(parts: list[float]) -> None:
    shown = rounded_parts(sum(parts), parts)
    assert f"{sum(shown):+.3f}".replace("-0.000", "+0.000") == f"{sum(parts):+.3f}".replace("-0.000", "+0.000")
    assert all(abs(one - other) <= 0.001 + 1e-9 for one, other in zip(shown, parts, strict=True))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(40.4, "40 s"), (89, "89 s"), (90, "2 minutes"), (7080, "118 minutes"), (9000, "2.5 hours")],
)
def test_a_duration_is_as_exact_as_it_can_be_used(seconds: float, expected: str) -> None:
    assert duration_text(seconds) == expected
