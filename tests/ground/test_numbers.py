import pytest

from tasks.ground.numbers import finite_number, side_px


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" -1.5 ", -1.5), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("+7", 7), ("1E-2", 0.01)],
)
def test_numbers_are_read(text, number):
    assert finite_number(text) == number


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "1_000", "12px", "1,5", "0x10", "\u0663", "1 2", "-"])
def test_text_that_is_not_a_finite_number_gives_none(text):
    assert finite_number(text) is None


@pytest.mark.parametrize("value", ["", "wide", "-3", "0", "1e300", None, [3], True, float("nan"), -3, 10**400])
def test_an_impossible_side_is_read_as_0(value):
    assert side_px(value) == 0


def test_sides_are_whole_pixels():
    assert [side_px("640"), side_px("640.0"), side_px(48), side_px(48.0)] == [640, 640, 48, 48]
