"""What explains the difference, in words: parts that add up as they are shown, and names that are never markup."""

from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts.analysis import Interval
from tasks.comparison.explanation import Explanation
from tasks.comparison.explanation_text import explanation_content, explanation_lines, notes
from tasks.comparison.factors import Factors
from tasks.comparison.run import Run
from tasks.comparison.run_data import RunData
from tasks.comparison.two_runs import Comparison, RunResults, compare_runs
from tasks.ground.text import printable
from tasks.metrics.decomposition import FigureParts, Part
from tasks.report_page.page import render
from tests.metrics.simulated import draw_for

NAME = "<img src=x> | **b** `c`\u202e"
FACTORS = Factors(
    {"data": (("split.seed", 1, 2),), "params": (("train.steps", 1, 2), ("model.name", "a", "b")), "neither": ()},
    {"data": ("tasks/gate",), "params": (NAME,), "neither": ()},
    data_changed=True,
)
PARTS = (
    # 0.0004 and 0.0004 are 0.000 each, and 0.001 together.
    FigureParts("mAP", 0.0008, Part(0.0004, Interval(-0.1, 0.2)), Part(0.0004, None), 0.0004, None),
    FigureParts(
        f"AP of {NAME}", -0.2, Part(-0.25, Interval(-0.3, -0.2)), Part(0.05, Interval(0.01, 0.09)), -0.25, None
    ),
)


@pytest.fixture(scope="module")
def two_runs() -> Comparison:
    truth, (one, other) = draw_for(np.random.default_rng(1), 8, [0.5, 1.0])
    empty = {
        "train": truth.__class__(truth.root, truth.classes, ()),
        "val": truth.__class__(truth.root, truth.classes, ()),
    }

    def results(name: str, own: list, seconds: float | None) -> RunResults:
        run = Run(name, Path(), Path(), {"paths": {}}, given=name)
        return RunResults(run, RunData(run, {**empty, "test": truth}), own, 0.5, training_s=seconds)

    return compare_runs(results(NAME, one, 100.0), results("after", other, None))


def test_the_parts_are_shown_so_that_they_add_up(two_runs: Comparison) -> None:
    lines = explanation_lines(Explanation(FACTORS, PARTS), two_runs)
    assert "| mAP | +0.001 | +0.001 | -0.100 to +0.200 | can't tell | +0.000 | - | can't tell |" in lines
    assert lines[2].startswith("| figure | difference | data | 95 % interval | | params and code |")
    (of_class,) = [line for line in lines if line.startswith("| AP of")]
    assert of_class.endswith(
        "| -0.200 | -0.250 | -0.300 to -0.200 | **worse** | +0.050 | +0.010 to +0.090 | **better** |"
    )


def test_names_are_never_markup(two_runs: Comparison) -> None:
    explanation = Explanation(FACTORS, PARTS)
    text = "\n".join(explanation_lines(explanation, two_runs))
    assert "<img" not in text
    assert "**b**" not in text
    assert "\u202e" not in text
    page = render({"explanation": explanation_content(explanation, two_runs)}, printable, "explanation.html.j2")
    assert "<img" not in page
    assert "\u202e" not in page
    assert page.count("<tr>") == 5
    # The widest end of an interval is at the end of the scale.
    assert "left: 0.0%;" in page


def test_what_differs_is_named_by_side(two_runs: Comparison) -> None:
    text = " ".join(notes(Explanation(FACTORS, PARTS, other_code=("tasks/late",)), two_runs))
    for sentence in (
        "The data come first: their part is a run in between, with the data of after and the params and code of <img",
        "and what made them: split.seed.",
        "Params and code are what came after the records: train.steps, model.name.",
        "The code that made the data differs too (tasks/gate). It counts with the data.",
        "validate reads model too",
        "Code was changed after the results were made and before they were committed (tasks/late)",
        "It says nothing of another train.seed",
    ):
        assert sentence in text


def test_runs_without_a_common_figure_are_not_said_to_differ_by_the_data_alone(two_runs: Comparison) -> None:
    first, *code = notes(Explanation(FACTORS), two_runs)
    assert first.startswith("No figure was measured in all runs")
    assert not any("do not differ" in note for note in code)


def test_both_orders_name_what_the_data_bring_in_each(two_runs: Comparison) -> None:
    part = Part(0.15, None)
    both = Explanation(FACTORS, (FigureParts("mAP", 0.3, part, part, 0.1, 0.2),), both_orders=True)
    assert "the data change mAP by +0.100, with the params and code of after by +0.200." in notes(both, two_runs)[0]
