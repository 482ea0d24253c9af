"""What the report page and the summary show of slices."""

import pytest

from tasks.artifacts.slices import Slices, write_slices
from tasks.commands.summary import surely_worse
from tasks.ground.figures import minus
from tests.artifacts.test_slices import figures
from tests.stages.report.report_run import HOSTILE, Run

CHANCE = figures(title="sharp images", rule="", mean_ap=0.5, rest_ap=0.49, p_value=1.0, surely_worse=False)


def page_with(folder, *tested, left_out=()):
    run = Run(folder)
    write_slices(folder / "detections", Slices(tested=list(tested), left_out=list(left_out)))
    return run.page()


def test_a_slice_that_is_surely_worse_stands_first_with_how_many_were_looked_at(tmp_path):
    page = page_with(tmp_path, CHANCE, figures(p_value=0.0004))
    assert len(page.all("div", **{"aria-label": "Slices that are surely worse"})) == 1
    assert f"dark images (10 to 80 of 255)12400.3100.480{minus('-0.170')}< 0.001" in page.text
    assert "2 slices of the test images were looked at, and p is corrected for that (Holm)" in page.text
    assert page.text.index("dark images") < page.text.index("sharp images")
    assert page.all("a", href="#slices")


def test_all_slices_have_their_intervals(tmp_path):
    page = page_with(tmp_path, CHANCE, figures())
    (region,) = page.all("div", **{"aria-label": "All slices"})
    assert region
    assert "0.3100.20 to 0.400.600" in page.text


def test_where_none_is_surely_worse_it_is_said(tmp_path):
    page = page_with(tmp_path, CHANCE)
    assert "No slice of the test images is surely worse than the rest" in page.text
    assert "1 slice of the test images was looked at" in page.text
    assert not page.all("div", **{"aria-label": "Slices that are surely worse"})


def test_slices_that_were_left_out_are_named(tmp_path):
    few = "the test split has 3 images, and slices need 15"
    page = page_with(tmp_path, left_out=[few])
    assert f"Too few images to look at: {few}." in page.text
    assert "No slice of" not in page.text


def test_a_run_without_slices_has_no_such_section(tmp_path):
    page = Run(tmp_path).page()
    assert not page.all("section", id="slices")
    assert not page.all("a", href="#slices")


def test_names_from_the_data_are_shown_as_text(tmp_path):
    page = page_with(tmp_path, figures(title=f"camera {HOSTILE}"), left_out=[f"{HOSTILE}: in 2 images"])
    assert "onload='x'" in page.text
    assert not any("onload" in attributes for _, attributes in page.elements)
    assert "\u202e" not in page.html


@pytest.mark.parametrize(
    ("slices", "lines"),
    [
        (Slices(tested=[figures(), CHANCE]), ["surely worse: dark images, mAP 0.310 against 0.480 on the rest"]),
        (Slices(tested=[CHANCE]), []),
        (Slices(), []),
    ],
    ids=["one", "none", "not looked at"],
)
def test_the_summary_names_what_is_surely_worse(slices, lines):
    assert surely_worse(slices) == lines
