"""The freeze study's table and page, of made-up runs."""

from pathlib import Path

import pytest
import yaml

from studies.freeze.places import PAGE, RESULTS
from tasks.dataset.dataset import Dataset
from tasks.errors import PipelineError
from tests.studies.freeze.made_up import ARMS, a_timing, all_runs, page_of, study
from tests.studies.freeze.runs import STEPS


def test_the_page_names_the_params_in_which_a_model_differs(
    tmp_path: Path, scored_on: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = {"name": "ssd_mobilenet_v2_fpnlite_320x320", "start": "base"}
    assert study(eval_every=20).training("v2") == {"steps": STEPS, "eval_every": 20}
    own = {"v2": {**model, "train": {"steps": 7, "batch_size": 4, "cache": {"copies": 1}}}}
    assert study(models=own, eval_every=20).training("v2") == {
        "steps": 7,
        "eval_every": 20,
        "batch_size": 4,
        "cache": {"copies": 1},
    }

    all_runs(RESULTS, scored_on)
    assert f"**{model['name']}**, {STEPS} steps, 2 seeds" in page_of(scored_on)
    assert f"**{model['name']}**, 7 steps (batch_size 4, cache.copies 1), 2 seeds" in page_of(scored_on, models=own)
    assert "7 steps (batch_size 4, cache.copies 1)." in PAGE.read_text()


def test_the_page_separates_the_savings_of_the_cache_from_those_of_freezing(
    tmp_path: Path, scored_on: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    all_runs(RESULTS, scored_on)
    assert "the cache" not in page_of(scored_on)

    # A step takes 1 s with nothing frozen, and 0.25 s with the cache.
    a_timing("first_8", step_ms=800)
    text = page_of(scored_on)
    assert "first_8 1.25 and 3.20; the cache gives the larger part in first_8." in text
    assert "| 0.800 (1.25 times as fast) |" in text
    assert "0.800 (1.25 times as fast)" in PAGE.read_text()
    assert yaml.safe_load(Path("table.json").read_text())["v2"]["first_8"]["alone"] == 1.25

    a_timing("first_8", step_ms=300)
    text = page_of(scored_on)
    assert "first_8 3.33 and 1.20; freezing itself gives the larger part in first_8." in text
    assert "below 1" not in text

    a_timing("first_8", step_ms=200)
    text = page_of(scored_on)
    assert "first_8 5.00 and 0.80; freezing itself gives the larger part in first_8. A factor below 1 is a step" in text


def test_the_page_and_the_table_hold_every_arm(
    tmp_path: Path, scored_on: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    all_runs(RESULTS, scored_on)
    text = page_of(scored_on)

    page = PAGE.read_text()
    assert all(f'<th scope="row">{arm}</th>' in page and f"| {arm} |" in text for arm in ARMS)
    assert page.count("<svg") == 4
    assert "different versions" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert Path("table.md").read_text() == text
    assert yaml.safe_load(Path("table.json").read_text())["v2"]["first_8"]["times"] == 4.0


def test_a_model_without_runs_is_left_out_with_a_warning_and_no_runs_at_all_are_an_error(
    tmp_path: Path, scored_on: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {
        "v1": {"name": "ssd_mobilenet_v1_fpn_320x320", "start": "scenes"},
        "v2": {"name": "ssd_mobilenet_v2_fpnlite_320x320", "start": "base"},
    }
    with pytest.raises(PipelineError, match="results: no run of this study yet"):
        page_of(scored_on, models=models)
    all_runs(RESULTS, scored_on)
    for text in (page_of(scored_on, models=models), PAGE.read_text()):
        assert "Not run yet: ssd_mobilenet_v1_fpn_320x320." in text
    assert yaml.safe_load(Path("table.json").read_text()).keys() == {"v2"}
    assert "Not run yet" not in page_of(scored_on)


def test_the_page_warns_of_a_run_or_a_timing_by_different_code(
    tmp_path: Path, scored_on: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    all_runs(RESULTS, scored_on)
    a_timing("first_8", step_ms=900)
    assert "different versions" not in page_of(scored_on)
    a_timing("first_8", step_ms=900, code="another")
    warning = "ssd_mobilenet_v2_fpnlite_320x320: runs of different versions of the code"
    assert warning in page_of(scored_on)
    assert warning in PAGE.read_text()


def test_the_page_names_the_weights_that_each_model_starts_from(
    tmp_path: Path, scored_on: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    all_runs(RESULTS, scored_on)
    page_of(scored_on)
    assert "starts from the project&#39;s base." in PAGE.read_text()
    scenes = {"count": 10, "steps": 70, "side_px": 160}
    page_of(scored_on, scenes=scenes, models={"v2": {"name": "ssd_mobilenet_v2_fpnlite_320x320", "start": "scenes"}})
    assert "starts from the project&#39;s base, then 70 steps on generated scenes at 160 px." in PAGE.read_text()
