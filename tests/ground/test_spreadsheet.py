"""Cells that a spreadsheet program would run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ground.spreadsheet import cell_to_text, text_to_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-mug", "@SUM(A1)", "\t=1", "'=1"])
def test_a_formula_is_marked_as_text(text):
    assert text_to_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["mug", "a-b.jpg", "", "'", "'tis", "5=5"])
def test_other_text_is_left_as_it_is(text):
    assert text_to_cell(text) == cell_to_text(text) == text


@given(st.text("'=+-@ a", max_size=6))
def test_any_text_comes_back(text):
    assert cell_to_text(text_to_cell(text)) == text
    assert not text_to_cell(text).startswith(("=", "+", "-", "@"))
