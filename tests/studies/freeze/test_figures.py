"""The figures of made-up runs of the freeze study, and the conclusions from them."""

from pathlib import Path

import pytest

from studies.freeze.conclusion import conclusion
from studies.freeze.figures import figures, read_runs
from tasks.dataset.dataset import Dataset
from tasks.errors import PipelineError
from tests.studies.freeze.made_up import ARMS, a_run, all_runs, figures_of
from tests.studies.freeze.runs import STEPS, record, share_called_different


def test_times_ratios_and_equal_time_come_from_the_curves(tmp_path: Path, scored_on: Dataset) -> None:
    all_runs(tmp_path, scored_on)

    found = figures_of(tmp_path, scored_on)

    none, _, frozen = found.rows
    assert (none.step_s, frozen.step_s) == (1.0, 0.25)
    assert frozen.times == (4.0, 4.0, 4.0)
    assert found.seconds == 10 + STEPS * 0.25  # the fastest arm's start-up and steps
    assert frozen.equal_time == pytest.approx(0.4)
    # After 20 s, 10 of 40 steps are done: half-way between nothing and the first validation.
    assert none.equal_time == pytest.approx(0.1)


def test_an_interval_finds_a_worse_arm_and_does_not_find_an_equal_one(tmp_path: Path, scored_on: Dataset) -> None:
    all_runs(tmp_path, scored_on, none={"off": 8.0, "step_ms": 1000.0}, none_again={"off": 8.0}, first_8={"off": 25.0})

    rows = {row.arm: row for row in figures_of(tmp_path, scored_on).rows}

    assert rows["first_8"].verdict == "worse"
    assert rows["first_8"].mean_ap < rows["none"].mean_ap
    assert rows["none_again"].verdict == "can't tell"


def test_the_conclusion_follows_the_figures(tmp_path: Path, scored_on: Dataset) -> None:
    all_runs(tmp_path / "equal", scored_on, none={"off": 8.0}, none_again={"off": 8.0}, first_8={"off": 8.0})
    text = " ".join(conclusion(figures_of(tmp_path / "equal", scored_on)))
    assert "Nothing that was frozen moved" in text
    assert "every loss is equal to the last bit" in text
    assert "first_8 4.00 (4.00 to 4.00)" in text
    assert "first_8 cannot be told from it" in text
    assert "first_8 has the highest mean validation mAP (0.400), above every other arm" in text


def test_an_arm_is_not_called_worse_where_seeds_differ_much(tmp_path: Path, scored_on: Dataset) -> None:
    # Every image says that first_8 is worse, but one seed says so far more than the others.
    for seed, off in ((1, 9.0), (2, 10.0), (3, 40.0)):
        for arm in ARMS:
            a_run(tmp_path, scored_on, arm, seed, step_ms=1000, off=off if arm == "first_8" else 8.0)
    runs = read_runs(tmp_path, "v2", ARMS, (1, 2, 3), scored_on)
    row = figures("v2", ARMS, runs, {}).rows[2]
    assert row.verdict == "can't tell"


@pytest.mark.parametrize(
    ("gains", "sentence"),
    [
        # Two standard errors are 0.069; 4.3 of them are 0.149.
        ((0.04, 0.10, 0.16), "but 3 seeds do not set it apart from none."),
        ((0.15, 0.16, 0.17), "above every other arm with an interval over seeds that does not hold zero"),
    ],
)
def test_at_equal_time_the_conclusion_depends_on_the_spread_over_seeds(
    gains: tuple[float, ...], sentence: str, tmp_path: Path, scored_on: Dataset
) -> None:
    for seed, gain in enumerate(gains):
        for arm in ARMS:
            own = 0.2 + gain if arm == "first_8" else 0.2
            curves = record(arm, seed, 1000).curves.model_copy(update={"mAP": [(20, own), (40, own)]})
            a_run(tmp_path, scored_on, arm, seed, step_ms=1000, curves=curves)
    found = figures("v2", ARMS, read_runs(tmp_path, "v2", ARMS, (0, 1, 2), scored_on), {})
    assert sentence in conclusion(found)[-1]


@pytest.mark.nightly
def test_equal_arms_are_rarely_called_different() -> None:
    share, spread = share_called_different(40, 1.2)
    assert spread > 0.02
    # Of 40 with a share of 5 % each, more than 6 come once in 300 times.
    assert share <= 6 / 40


def test_the_conclusion_names_arms_whose_frozen_variables_moved(tmp_path: Path, scored_on: Dataset) -> None:
    all_runs(tmp_path, scored_on, first_8={"frozen_statistics_max_abs_change": 1e-7})
    text = " ".join(conclusion(figures_of(tmp_path, scored_on)))
    assert "Frozen variables moved in first_8" in text


def test_a_missing_run_is_named(tmp_path: Path, scored_on: Dataset) -> None:
    a_run(tmp_path, scored_on, "none", 1, step_ms=1000)
    with pytest.raises(PipelineError, match=r"v2-none-2: no such run yet; `dvc repro train@v2-none-2` makes it"):
        figures_of(tmp_path, scored_on)


def test_runs_of_seeds_and_arms_outside_study_yaml_do_not_count(tmp_path: Path, scored_on: Dataset) -> None:
    all_runs(tmp_path, scored_on)
    a_run(tmp_path, scored_on, "none", 3, step_ms=9e9)
    a_run(tmp_path, scored_on, "first_4", 1, step_ms=9e9)
    runs = read_runs(tmp_path, "v2", ARMS, (1, 2), scored_on)
    assert [(arm, run.record.seed) for arm, own in runs.items() for run in own] == [
        (arm, seed) for arm in ARMS for seed in (1, 2)
    ]
