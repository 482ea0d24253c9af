"""The curves and small figures of the report page."""

import re

import pytest

from tasks.errors import FormatError
from tasks.ground.files import write_json
from tasks.report_page import curves
from tasks.report_page.page import change, figure, interval, percent, whole
from tests.stages.report.report_run import Run


def test_a_curve_is_read_in_step_order_and_the_last_of_equal_steps_counts(tmp_path):
    path = tmp_path / "loss.tsv"
    path.write_text("step\tloss\n2\t0.5\n1\t0.9\n3\tnan\n2\t0.4\n")
    assert curves.read_curve(path) == [(1.0, 0.9), (2.0, 0.4)]
    assert curves.read_curve(tmp_path / "absent.tsv") == []


@pytest.mark.parametrize("content", ["step\tother\n1\t2\n", "step\tloss\none\ttwo\n", "step\tloss\n1\n", "\xff\xfe"])
def test_a_damaged_table_of_a_curve_is_named(tmp_path, content):
    path = tmp_path / "loss.tsv"
    path.write_bytes(content.encode("latin-1"))
    if content == "\xff\xfe":
        path.write_bytes(b"step\tloss\n1\t\xff\n")
    with pytest.raises(FormatError, match=r"loss\.tsv: not a table with the columns step and loss"):
        curves.read_curve(path)


@pytest.mark.parametrize(
    "points", [[(1, 0.0)], [(1, 0.5)], [(1, -1.0), (2, 3.0)], [(i, 1 / (i + 1)) for i in range(5000)]]
)
def test_a_curve_of_any_length_is_drawn_in_the_pages_colours(points):
    svg = curves.curve_svg(points, "loss", label='Loss "over" steps', colour="#e69f00", noisy=True, mark_step=1)
    assert svg.startswith('<svg class="plot" role="img" aria-label="Loss &#34;over&#34; steps"')
    assert "#e69f00" in svg
    assert "currentColor" in svg
    assert "#010203" not in svg
    assert not re.search(r"<metadata|<dc:date|20\d\d-", svg)
    assert len(svg) < 80_000


def test_a_damaged_file_of_precision_and_recall_is_named(tmp_path):
    run = Run(tmp_path)
    write_json(tmp_path / "plots" / "precision_recall.json", [{"class": "all"}])
    with pytest.raises(FormatError, match=r"precision_recall\.json: not what the evaluate stage writes"):
        run.report()


def test_numbers_are_short_and_a_missing_one_is_a_dash():
    assert [figure(value) for value in (0.12345, 1, None)] == ["0.123", "1.000", "\u2013"]
    assert [interval(ends) for ends in ((0.123, 0.5), None)] == ["0.12 to 0.50", "\u2013"]
    assert [change(value) for value in (0.1, -0.1, 0.0001, None)] == ["+0.100", "\u22120.100", "±0", "\u2013"]
    assert [percent(value) for value in (0.5, 7, -1, None)] == ["50.0%", "100.0%", "0.0%", "0.0%"]
    assert [whole(value) for value in (1234567.0, 0, None)] == ["1\u202f234\u202f567", "0", "\u2013"]


def test_each_curve_has_a_table_of_its_numbers(tmp_path):
    assert curves.numbers_of([(float(step), step / 2) for step in range(1, 26)])[-2:] == [
        (23.0, [11.5]),
        (25.0, [12.5]),
    ]
    assert len(curves.numbers_of([(float(step), 0.0) for step in range(300)])) == 10
    run = Run(tmp_path)
    run.curve("val/mAP", [(100, 0.25), (200, 0.5)])
    text = " ".join(re.sub(r"<[^>]+>", " ", run.page().html).split())
    assert "In numbers step Validation mAP 100 0.2500 200 0.5000" in text
    assert re.search(r"In numbers recall all cat .*0\.0 1\.000 1\.000", text)
