import pytest

from tasks.ground.numbers import finite, pixels


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" -1.5 ", -1.5), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("+7", 7), ("1E-2", 0.01)],
)
def test_numbers_are_read(text, number):
    assert finite(text) == number


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "1_000", "12px", "1,5", "0x10", "\u0663", "1 2", "-"])
def test_what_is_no_finite_number_is_none(text):
    assert finite(text) is None


@pytest.mark.parametrize("value", ["", "wide", "-3", "0", "1e300", None, [3], True, float("nan"), -3, 10**400])
def test_a_side_that_no_image_has_is_unknown(value):
    assert pixels(value) == 0


def test_sides_are_whole_pixels():
    assert [pixels("640"), pixels("640.0"), pixels(48), pixels(48.0)] == [640, 640, 48, 48]
