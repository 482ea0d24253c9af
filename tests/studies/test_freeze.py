"""The layer-freezing study: its matrix, what is concluded from runs, and its page. The runs are made up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from studies.base.draw import ANNOTATIONS
from studies.chance import over_images_and_seeds, over_seeds
from studies.freeze.conclusion import conclusion
from studies.freeze.figures import ModelFigures, figures, read_runs
from studies.freeze.page import write_page
from studies.freeze.params import StudyParams, read_study_params
from studies.freeze.places import DATA, DETECTIONS, PAGE, RESULTS, RUN, TIMING
from studies.freeze.run import _CODE, _SCENE_STAGES, _TRAINING, _scenes, _smaller
from studies.trials.run import _DATA_STAGES, PARAMS, code, params_of
from tasks.annotation.dataset import Dataset
from tasks.detector.model_definitions import MODELS, find_model
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import input_size, read_pipeline_config
from tasks.errors import ParamsError, PipelineError
from tasks.files import write_json
from tasks.formats.coco import read_coco, write_coco, write_detections
from tasks.metrics.intervals import Interval
from tasks.stages import STAGES
from tests.studies.freeze_runs import STEPS, beside, noted, photographs, told_apart

STUDY = Path(__file__).parents[2] / "studies" / "freeze"
ARMS = {"none": "none", "none_again": "none", "first_8": 8}


@pytest.fixture
def test_part() -> Dataset:
    return photographs(12)


def study(**changes: Any) -> StudyParams:
    content = yaml.safe_load((STUDY / "study.yaml").read_text()) | {
        "models": {"v2": {"name": "ssd_mobilenet_v2_fpnlite_320x320", "start": "base"}},
        "arms": ARMS,
        "seeds": [1, 2],
        "steps": STEPS,
    }
    return StudyParams.model_validate(content | changes)


def a_run(
    folder: Path, test: Dataset, arm: str, seed: int, *, step_ms: float, off: float = 0.0, **changes: Any
) -> None:
    """A run whose boxes lie `off` pixels beside the true ones, more or less, and whose steps take `step_ms`."""
    random = np.random.default_rng(seed)
    shifts = off * random.uniform(0.5, 1.5, len(test.images))
    run = folder / f"v2-{arm}-{seed}"
    run.mkdir(parents=True)
    write_json(run / RUN, noted(arm, seed, step_ms, **changes))
    write_detections(beside(shifts), test, run / DETECTIONS)


def all_runs(folder: Path, test: Dataset, **changes: dict[str, Any]) -> None:
    for seed in (1, 2):
        for arm in ARMS:
            what = {"step_ms": 250.0 if arm == "first_8" else 1000.0} | changes.get(arm, {})
            a_run(folder, test, arm, seed, **what)


def page_of(test: Dataset, **changes: Any) -> str:
    """The table; photographs, results and timings are where dvc.yaml has them."""
    if not DATA.is_dir():
        (DATA / "splits").mkdir(parents=True)
        write_coco(test, DATA / "splits" / "test.json")
    return write_page(study(**changes), DATA, RESULTS, TIMING, PAGE)


def a_timing(arm: str, *, step_ms: float, code: str = "c") -> None:
    TIMING.mkdir(exist_ok=True)
    curves = {"train/step_ms": [(step, step_ms) for step in range(1, STEPS + 1)]}
    write_json(TIMING / f"v2-{arm}.json", {"code": code, "curves": curves})


def figures_of(folder: Path, test: Dataset) -> ModelFigures:
    return figures("v2", ARMS, read_runs(folder, "v2", ARMS, (1, 2), test), {})


def test_the_matrix_is_over_all_that_study_yaml_names() -> None:
    stages = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"]
    params = read_study_params(STUDY / "study.yaml")
    matrix = stages["train"]["matrix"]
    assert (matrix["model"], matrix["arm"], matrix["seed"]) == (list(params.models), list(params.arms), "${seeds}")
    assert stages["start"]["matrix"]["model"] == list(params.models)
    frozen = [arm for arm, freeze in params.arms.items() if freeze != "none"]
    assert stages["timing"]["matrix"] == {"model": list(params.models), "arm": frozen}
    assert len(params.seeds) >= 3


@pytest.mark.parametrize(
    ("stage", "keys"),
    [
        ("start", {"models.${item.model}", "scenes"}),
        ("train", {"models.${item.model}", "arms.${item.arm}", "steps", "eval_every"}),
        ("timing", {"models.${item.model}", "arms.${item.arm}", "timing_steps"}),
        ("page", {"models", "arms", "seeds", "steps"}),
    ],
)
def test_a_stage_runs_again_when_what_it_reads_in_study_yaml_changes(stage: str, keys: set[str]) -> None:
    tracked = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"][stage]["params"]
    assert {key for entry in tracked for key in entry.get("study.yaml", [])} == keys


@pytest.mark.parametrize(
    ("stage", "runs"),
    [("data", _DATA_STAGES), ("start", _SCENE_STAGES), ("train", _TRAINING), ("timing", _TRAINING)],
)
def test_a_stage_runs_again_when_a_section_changes_that_its_stages_of_the_pipeline_are_given(
    stage: str, runs: tuple[str, ...]
) -> None:
    tracked = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"][stage]["params"]
    sections = {section for entry in tracked for section in entry.get("../params.yaml", [])}
    assert sections == {section for name in runs for section in STAGES[name].sections}


def test_what_a_model_says_of_its_runs_is_what_they_are_run_with_and_is_told(
    tmp_path: Path, test_part: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = {"name": "ssd_mobilenet_v2_fpnlite_320x320", "start": "base"}
    assert study(eval_every=20).training("v2") == {"steps": STEPS, "eval_every": 20}
    own = {"v2": {**model, "train": {"steps": 7, "batch_size": 4}}}
    assert study(models=own, eval_every=20).training("v2") == {"steps": 7, "eval_every": 20, "batch_size": 4}

    all_runs(RESULTS, test_part)
    assert f"**{model['name']}**, {STEPS} steps, 2 seeds" in page_of(test_part)
    assert f"**{model['name']}**, 7 steps (batch_size 4), 2 seeds" in page_of(test_part, models=own)
    assert "7 steps (batch_size 4)." in PAGE.read_text()


def test_the_runs_of_every_model_are_ones_that_the_pipeline_understands(tmp_path: Path) -> None:
    params = read_study_params(STUDY / "study.yaml")
    for model in params.models:
        params_of(PARAMS, tmp_path / model, tmp_path / "data", {"train": params.training(model)})


def test_scenes_are_learned_from_by_the_same_model_with_a_smaller_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "ssd_mobilenet_v1_fpn_320x320"
    found = find_model(_smaller(name, 160))
    assert isinstance(found, Path)
    smaller, usual = read_pipeline_config(found), pipeline_proto(MODELS[name])
    assert (input_size(smaller), input_size(usual)) == ((160, 160), (320, 320))
    smaller.model.ssd.image_resizer.CopyFrom(usual.model.ssd.image_resizer)
    assert smaller == usual


def test_a_misspelt_key_of_the_study_is_named(tmp_path: Path) -> None:
    text = (STUDY / "study.yaml").read_text()
    (tmp_path / "study.yaml").write_text(text.replace("eval_every", "eval_evry"))
    with pytest.raises(ParamsError, match=r"eval_evry: Extra inputs are not permitted"):
        read_study_params(tmp_path / "study.yaml")


def test_times_ratios_and_equal_time_come_from_the_curves(tmp_path: Path, test_part: Dataset) -> None:
    all_runs(tmp_path, test_part)

    found = figures_of(tmp_path, test_part)

    none, _, frozen = found.rows
    assert (none.step_s, frozen.step_s) == (1.0, 0.25)
    assert frozen.times == (4.0, 4.0, 4.0)
    assert found.seconds == 10 + STEPS * 0.25  # the fastest arm's start-up and steps
    assert frozen.equal_time == pytest.approx(0.4)
    # After 20 s, 10 of 40 steps are done: half-way between nothing and the first validation.
    assert none.equal_time == pytest.approx(0.1)


def test_a_worse_arm_is_told_by_an_interval_and_a_like_one_is_not(tmp_path: Path, test_part: Dataset) -> None:
    all_runs(tmp_path, test_part, none={"off": 8.0, "step_ms": 1000.0}, none_again={"off": 8.0}, first_8={"off": 25.0})

    rows = {row.arm: row for row in figures_of(tmp_path, test_part).rows}

    assert rows["first_8"].verdict == "worse"
    assert rows["first_8"].mean_ap < rows["none"].mean_ap
    assert rows["none_again"].verdict == "can't tell"


def test_the_conclusion_follows_the_figures(tmp_path: Path, test_part: Dataset) -> None:
    all_runs(tmp_path / "equal", test_part, none={"off": 8.0}, none_again={"off": 8.0}, first_8={"off": 8.0})
    said = " ".join(conclusion(figures_of(tmp_path / "equal", test_part)))
    assert "Nothing that was frozen moved" in said
    assert "every loss is equal to the last bit" in said
    assert "first_8 4.00 (4.00 to 4.00)" in said
    assert "first_8 cannot be told from it" in said
    assert "first_8 has the highest mean validation mAP (0.400), above every other arm" in said


def test_an_interval_over_seeds_is_students() -> None:
    found = over_seeds([0.1, 0.2, 0.3])
    assert found is not None
    # The standard error is 0.1 / sqrt(3); t of two degrees of freedom, 4.303.
    assert (found.low, found.high) == pytest.approx((0.2 - 0.2484, 0.2 + 0.2484), abs=1e-4)
    assert over_seeds([0.1]) is None


def test_an_interval_over_images_and_seeds_is_that_of_the_one_where_the_other_says_nothing() -> None:
    images = Interval(0.1, 0.3)
    same = over_images_and_seeds(images, 40, [0.2, 0.2, 0.2])
    assert same is not None
    assert (same.low, same.high) == pytest.approx((0.1, 0.3))
    seeds, alone = over_images_and_seeds(Interval(0.1999, 0.2001), 40, [0.1, 0.2, 0.3]), over_seeds([0.1, 0.2, 0.3])
    assert seeds is not None
    assert alone is not None
    assert (seeds.low, seeds.high) == pytest.approx((alone.low, alone.high), abs=1e-4)
    assert over_images_and_seeds(images, 40, [0.2]) is None
    assert over_images_and_seeds(None, 40, [0.1, 0.2]) is None


def test_seeds_that_differ_much_do_not_tell_an_arm_from_another(tmp_path: Path, test_part: Dataset) -> None:
    # Every image says that first_8 is worse, but one seed says so far more than the others.
    for seed, off in ((1, 9.0), (2, 10.0), (3, 40.0)):
        for arm in ARMS:
            a_run(tmp_path, test_part, arm, seed, step_ms=1000, off=off if arm == "first_8" else 8.0)
    runs = read_runs(tmp_path, "v2", ARMS, (1, 2, 3), test_part)
    row = figures("v2", ARMS, runs, {}).rows[2]
    assert row.verdict == "can't tell"


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        # Two standard errors are 0.069; 4.3 of them are 0.149.
        ((0.04, 0.10, 0.16), "but 3 seeds do not set it apart from none."),
        ((0.15, 0.16, 0.17), "above every other arm with an interval over seeds that does not hold zero"),
    ],
)
def test_at_equal_time_three_seeds_say_as_much_as_three_seeds_can(
    gains: tuple[float, ...], said: str, tmp_path: Path, test_part: Dataset
) -> None:
    for seed, gain in enumerate(gains):
        for arm in ARMS:
            own = 0.2 + gain if arm == "first_8" else 0.2
            curves = noted(arm, seed, 1000)["curves"] | {"val/mAP": [(20, own), (40, own)]}
            a_run(tmp_path, test_part, arm, seed, step_ms=1000, curves=curves)
    found = figures("v2", ARMS, read_runs(tmp_path, "v2", ARMS, (0, 1, 2), test_part), {})
    assert said in conclusion(found)[-1]


@pytest.mark.slow
def test_an_arm_is_told_from_its_equal_about_as_rarely_as_is_said() -> None:
    share, spread = told_apart(40, 1.2)
    assert spread > 0.02
    # Of 40 with a share of 5 % each, more than 6 come once in 300 times.
    assert share <= 6 / 40


def test_what_is_the_caches_doing_is_told_from_what_is_freezings(
    tmp_path: Path, test_part: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    all_runs(RESULTS, test_part)
    assert "the cache" not in page_of(test_part)

    # A step takes 1 s with nothing frozen, and 0.25 s with the cache.
    a_timing("first_8", step_ms=800)
    text = page_of(test_part)
    assert "first_8 1.25 and 3.20; the cache gives the larger part in first_8." in text
    assert "| 0.800 (1.25 times as fast) |" in text
    assert "0.800 (1.25 times as fast)" in PAGE.read_text()
    assert yaml.safe_load(Path("table.json").read_text())["v2"]["first_8"]["alone"] == 1.25

    a_timing("first_8", step_ms=300)
    assert "first_8 3.33 and 1.20; freezing itself gives the larger part in first_8." in page_of(test_part)


def test_a_frozen_variable_that_moved_is_told(tmp_path: Path, test_part: Dataset) -> None:
    all_runs(tmp_path, test_part, first_8={"frozen_statistics_max_abs_change": 1e-7})
    said = " ".join(conclusion(figures_of(tmp_path, test_part)))
    assert "Frozen variables moved in first_8" in said


def test_runs_that_are_missing_are_named(tmp_path: Path, test_part: Dataset) -> None:
    a_run(tmp_path, test_part, "none", 1, step_ms=1000)
    with pytest.raises(PipelineError, match=r"v2-none-2: no such run yet; `dvc repro train@v2-none-2` makes it"):
        figures_of(tmp_path, test_part)


def test_runs_of_seeds_and_arms_that_study_yaml_does_not_have_do_not_count(tmp_path: Path, test_part: Dataset) -> None:
    all_runs(tmp_path, test_part)
    a_run(tmp_path, test_part, "none", 3, step_ms=9e9)
    a_run(tmp_path, test_part, "first_4", 1, step_ms=9e9)
    runs = read_runs(tmp_path, "v2", ARMS, (1, 2), test_part)
    assert [(arm, run.seed) for arm, own in runs.items() for run in own] == [
        (arm, seed) for arm in ARMS for seed in (1, 2)
    ]


def test_the_page_and_the_table_hold_every_arm(
    tmp_path: Path, test_part: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    all_runs(RESULTS, test_part)
    text = page_of(test_part)

    page = PAGE.read_text()
    assert all(f'<th scope="row">{arm}</th>' in page and f"| {arm} |" in text for arm in ARMS)
    assert page.count("<svg") == 4
    assert "different versions" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert Path("table.md").read_text() == text
    assert yaml.safe_load(Path("table.json").read_text())["v2"]["first_8"]["times"] == 4.0


def test_a_model_that_was_not_run_is_left_out_and_told_of_and_no_runs_at_all_are_an_error(
    tmp_path: Path, test_part: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {
        "v1": {"name": "ssd_mobilenet_v1_fpn_320x320", "start": "scenes"},
        "v2": {"name": "ssd_mobilenet_v2_fpnlite_320x320", "start": "base"},
    }
    with pytest.raises(PipelineError, match="results: no run of this study yet"):
        page_of(test_part, models=models)
    all_runs(RESULTS, test_part)
    for told in (page_of(test_part, models=models), PAGE.read_text()):
        assert "Not run yet: ssd_mobilenet_v1_fpn_320x320." in told
    assert yaml.safe_load(Path("table.json").read_text()).keys() == {"v2"}
    assert "Not run yet" not in page_of(test_part)


def test_a_run_or_a_timing_by_other_code_is_told_of(
    tmp_path: Path, test_part: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    all_runs(RESULTS, test_part)
    a_timing("first_8", step_ms=900)
    assert "different versions" not in page_of(test_part)
    a_timing("first_8", step_ms=900, code="another")
    said = "ssd_mobilenet_v2_fpnlite_320x320: runs of different versions of the code"
    assert said in page_of(test_part)
    assert said in PAGE.read_text()


@pytest.mark.parametrize(
    "path",
    ["tasks/a/b.py", "weights/w.npz", "studies/trials/run.py", "studies/freeze/run.py", "studies/base/scenes/c.py"],
)
def test_a_run_notes_all_that_it_is_made_by(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.trials.run.ROOT", tmp_path)
    (tmp_path / path).parent.mkdir(parents=True)
    noted = []
    for content in ("one", "other"):
        (tmp_path / path).write_text(content)
        noted.append(code(*_CODE))
    assert noted[0] != noted[1]


def test_scenes_of_a_killed_run_are_found_again_and_those_of_another_count_are_not(tmp_path: Path) -> None:
    few = _scenes(1, tmp_path)
    (few / "seen").touch()
    assert (_scenes(1, tmp_path) / "seen").exists()
    assert len(read_coco(_scenes(2, tmp_path) / ANNOTATIONS).images) == 2


def test_the_readme_says_how_to_have_the_page_without_more_runs() -> None:
    readme = (STUDY / "README.md").read_text()
    assert "dvc repro -s page" in readme
    assert "dvc repro page" not in readme
