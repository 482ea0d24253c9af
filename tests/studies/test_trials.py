"""Trials: the stages of the studies that have some, where a run writes, and how results are summed up."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from studies.stages import PARAMS, write_params
from studies.trials.params import TrialsParams, changes_of, read_trials_params, steps_of
from studies.trials.result import Trial
from studies.trials.table import write_table
from tasks.errors import PipelineError
from tasks.params.recipes import RECIPES, RecipeName, decided_values
from tests.test_presets import heading, values

STUDIES = Path(__file__).parents[2] / "studies"
VOC = """<annotation><filename>{}.jpg</filename><size><width>64</width><height>64</height></size><object>
<name>gun</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></object></annotation>"""

TRIALS = TrialsParams.model_validate(
    {
        "data": {"guns": "guns"},
        "arms": {
            "base": {},
            "none": {"checkpoint": {"source": "none"}},
            "longer": {"train": {"steps": 900}},
            "twice": {"train": {"steps": 40, "second_phase": {"steps": 25}}},
        },
        "steps": [60],
        "seeds": [1, 2, 3],
        "scored_on": "test",
    }
)
STEPS = partial(steps_of, params=TRIALS)


def result(folder: Path, seed: int, **changes: Any) -> None:
    row = {
        "data": "guns",
        "arm": "base",
        "steps": 60,
        "seed": seed,
        "code": "c",
        "step_ms_median": 500.0,
        "seconds": 30.0,
    }
    row |= {"part": "test", "images": 7, "mAP": 0.1 * seed, "AP50": 0.2 * seed} | changes
    folder.mkdir(exist_ok=True)
    name = "-".join(str(row[key]) for key in ("data", "arm", "steps", "seed"))
    (folder / f"{name}.json").write_text(json.dumps(row))


@pytest.mark.parametrize(
    ("name", "split"),
    [("starts", "test"), ("base_choice", "val"), ("recipes", "val"), ("recommended", "test"), ("sizes", "val")],
)
def test_the_matrix_has_every_data_set_and_arm_of_trials_yaml(name: str, split: str) -> None:
    stages = yaml.safe_load((STUDIES / name / "dvc.yaml").read_text())["stages"]
    trials = read_trials_params(STUDIES / name / "trials.yaml")
    matrix = stages["train"]["matrix"]
    assert (matrix["data"], matrix["arm"]) == (list(trials.data), list(trials.arms))
    assert (matrix["steps"], matrix["seed"]) == ("${steps}", "${seeds}")
    assert len(trials.seeds) >= 3
    assert trials.scored_on == split


@pytest.mark.parametrize("name", ["starts", "base_choice", "recipes", "recommended", "sizes"])
def test_the_pipeline_accepts_the_params_of_every_run(name: str, tmp_path: Path) -> None:
    trials = read_trials_params(STUDIES / name / "trials.yaml")
    for arm in trials.arms:
        for data in trials.data:
            changes = changes_of(Trial(data, arm, trials.steps[0], trials.seeds[0]), trials)
            write_params(PARAMS, tmp_path / arm / data, tmp_path / "data", changes)


@pytest.mark.parametrize("name", ["quick", "thorough"])
def test_what_is_scored_as_a_recipe_has_the_recipes_values(name: RecipeName, tmp_path: Path) -> None:
    trials = read_trials_params(STUDIES / "recommended" / "trials.yaml")
    params = write_params(PARAMS, tmp_path / "run", tmp_path / "data", trials.arms[name])
    assert decided_values(params.train.model_dump()) == RECIPES[name]


@pytest.mark.parametrize(
    ("arm", "recipe"), [("quick", "quick"), ("strong", "standard"), ("strong_unfrozen", "thorough")]
)
def test_what_is_compared_as_a_recipe_has_the_recipes_values(arm: str, recipe: RecipeName, tmp_path: Path) -> None:
    trials = read_trials_params(STUDIES / "recipes" / "trials.yaml")
    params = write_params(PARAMS, tmp_path / "run", tmp_path / "data", trials.arms[arm])
    given = decided_values(params.train.model_dump())
    # How often is validated changes no weight, nor do copies where nothing is frozen.
    without_effect = ["eval_every"] + ["cache.copies"] * (given["freeze"] == "none")
    assert given | {key: RECIPES[recipe][key] for key in without_effect} == RECIPES[recipe]


def test_a_run_changes_only_the_params_of_its_arm_and_writes_into_its_own_folder(tmp_path: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "guns"
    params = write_params(PARAMS, run, data, {"checkpoint": {"source": "none"}, "train": {"steps": 60, "seed": 3}})

    own = yaml.safe_load(PARAMS.read_text())
    assert (params.checkpoint.source, params.train.steps, params.train.seed) == ("none", 60, 3)
    assert params.train.learning_rate == own["train"]["learning_rate"]
    assert params.paths.records == data / "records"
    assert params.paths.trained == run / "models" / "trained"
    assert params.paths.ingested != params.paths.validated


def test_an_arm_may_change_the_input_size_alone(tmp_path: Path) -> None:
    text = (STUDIES / "starts" / "trials.yaml").read_text()
    trials = yaml.safe_load(text) | {"arms": {"own": {}, "larger": {"model": {"side_px": 512}}}}
    (tmp_path / "trials.yaml").write_text(yaml.safe_dump(trials))

    of = {
        arm: write_params(PARAMS, tmp_path / arm, tmp_path / "data", sections).model
        for arm, sections in read_trials_params(tmp_path / "trials.yaml").arms.items()
    }

    assert of["larger"] == of["own"].model_copy(update={"side_px": 512})
    assert of["own"].side_px is None
    with pytest.raises(PipelineError, match=r"model\.side_px: .*500 is not possible"):
        write_params(PARAMS, tmp_path / "run", tmp_path / "data", {"model": {"side_px": 500}})


def test_a_run_has_the_values_of_its_data_set_and_those_of_its_arm_win() -> None:
    params = TrialsParams.model_validate(
        {
            "data": {"guns": "guns", "bccd": "bccd"},
            "by_data": {"guns": {}, "bccd": {"model": {"side_px": 512}, "train": {"cache": {"copies": 2}}}},
            "arms": {"own": {}, "small": {"model": {"side_px": 320}, "train": {"cache": {"use": "off"}, "steps": 9}}},
            "steps": [60],
            "seeds": [3],
            "scored_on": "val",
        }
    )
    run = {"steps": 60, "seed": 3, "eval_every": 60}

    assert changes_of(Trial("guns", "own", 60, 3), params) == {"train": run}
    assert changes_of(Trial("bccd", "own", 60, 3), params) == {
        "model": {"side_px": 512},
        "train": {**run, "cache": {"copies": 2}},
    }
    assert changes_of(Trial("bccd", "small", 60, 3), params) == {
        "model": {"side_px": 320},
        "train": {**run, "cache": {"copies": 2, "use": "off"}, "steps": 9},
    }


@pytest.mark.parametrize("by_data", [{"guns": {}}, {"guns": {}, "bccd": {}, "ppe": {}}, {"guns": {}, "bcdd": {}}])
def test_values_by_data_set_are_those_of_every_data_set(by_data: dict[str, Any], tmp_path: Path) -> None:
    content = {"data": {"guns": "a", "bccd": "b"}, "by_data": by_data, "arms": {"own": {}}, "steps": [60], "seeds": [3]}
    (tmp_path / "trials.yaml").write_text(yaml.safe_dump(content | {"scored_on": "val"}, sort_keys=False))
    with pytest.raises(PipelineError, match=r"trials\.yaml .*\n.*by_data: expected guns, bccd, each with \{\} where"):
        read_trials_params(tmp_path / "trials.yaml")


def test_the_params_of_the_studies_differ_from_params_yaml_only_where_their_heading_says() -> None:
    ours, own = (values(path) for path in (PARAMS, STUDIES.parent / "params.yaml"))
    assert ours.keys() == own.keys()
    stated = re.search(r"explains every key, in: (.*)\.$", heading(PARAMS))
    assert stated
    assert set(stated[1].split(", ")) == ({key for key in ours if ours[key] != own[key]} or {"nothing"})


@pytest.mark.slow
def test_a_study_ignores_the_projects_params_yaml(tmp_path: Path) -> None:
    for name in ("tasks", "studies", "weights"):
        shutil.copytree(STUDIES.parent / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".dvc"))
    (tmp_path / "params.yaml").write_text("another: recipe\n")
    study = tmp_path / "studies" / "recipes"
    for number in range(12):
        image = Image.effect_noise((64, 64), 20 * number + 10)
        (study / "datasets" / "guns").mkdir(parents=True, exist_ok=True)
        image.convert("RGB").save(study / "datasets" / "guns" / f"{number}.jpg")
        (study / "datasets" / "guns" / f"{number}.xml").write_text(VOC.format(number))

    command = [sys.executable, "-m", "studies.trials", "data", "guns"]
    subprocess.run(command, cwd=study, env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True)

    written = yaml.safe_load((study / "data" / "guns" / "params.yaml").read_text())
    assert written["split"] == yaml.safe_load(PARAMS.read_text())["split"]


def test_the_table_has_mean_and_spread_of_each_group(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for seed in (1, 2, 3):
        result(results, seed)
    result(results, 1, arm="none", mAP=0.05)

    text = write_table(results, tmp_path / "s.json", tmp_path / "s.md", against="base", steps_of=STEPS)

    assert "| guns (7) | 60 | base | 3 | 0.200 ± 0.100 | 0.400 ± 0.200 | 500 | 30 |" in text
    assert "| guns (7) | 60 | none | 1 | 0.050 |" in text
    assert "different versions" not in text
    assert (tmp_path / "s.md").read_text() == text
    assert json.loads((tmp_path / "s.json").read_text())["guns-base-60"]["mAP"] == pytest.approx(0.2)


def test_an_arm_is_compared_with_the_first_arm_over_the_seeds_that_both_have(tmp_path: Path) -> None:
    results = tmp_path / "results"
    for seed, gain in ((1, 0.01), (2, 0.02), (3, 0.03)):
        result(results, seed)
        result(results, seed, arm="none", mAP=0.1 * seed + gain)
    result(results, 4, arm="none", mAP=0.9)
    result(results, 1, arm="once")
    result(results, 1, arm="none", steps=180)

    lines = write_table(results, tmp_path / "s.json", tmp_path / "s.md", against="base", steps_of=STEPS).splitlines()

    # Student's t of 2 degrees of freedom: 4.303; the spread of 0.01, 0.02 and 0.03 is 0.01.
    assert "| guns | 60 | none | 3 | +0.020 (-0.005 to +0.045) | +0.000 (+0.000 to +0.000) |" in lines
    assert "| guns | 60 | once | 1 | +0.000 | +0.000 |" in lines
    assert not [line for line in lines if line.startswith(("| guns | 60 | base", "| guns | 180"))]


def test_the_table_names_the_steps_that_an_arm_trains_itself(tmp_path: Path) -> None:
    for arm in ("base", "longer", "twice", "gone"):
        result(tmp_path / "results", 1, arm=arm)

    lines = write_table(
        tmp_path / "results", tmp_path / "s.json", tmp_path / "s.md", against="base", steps_of=STEPS
    ).splitlines()

    steps = {
        cells[3].strip(): cells[2].strip() for cells in (line.split("|") for line in lines if "| guns (7)" in line)
    }
    assert steps == {"base": "60", "longer": "900", "twice": "65", "gone": "60"}
    assert "| guns | 900 | longer | 1 | +0.000 | +0.000 |" in lines


def test_the_table_warns_of_runs_by_different_code(tmp_path: Path) -> None:
    result(tmp_path / "results", 1)
    result(tmp_path / "results", 2, code="d")
    text = write_table(tmp_path / "results", tmp_path / "s.json", tmp_path / "s.md", against="base", steps_of=STEPS)
    assert "2 different versions" in text


def test_a_table_without_results_and_a_file_that_is_no_result_are_errors(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no run has ended yet"):
        write_table(tmp_path / "results", tmp_path / "s.json", tmp_path / "s.md", against="base", steps_of=STEPS)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a.json").write_text('{"data": "guns"}')
    with pytest.raises(PipelineError, match=r"a\.json: not what the train@a stage writes: arm: Field required"):
        write_table(tmp_path / "results", tmp_path / "s.json", tmp_path / "s.md", against="base", steps_of=STEPS)
    (tmp_path / "results" / "a.json").write_text("[")
    with pytest.raises(PipelineError, match=r"a\.json: not a JSON file"):
        write_table(tmp_path / "results", tmp_path / "s.json", tmp_path / "s.md", against="base", steps_of=STEPS)


def test_a_copied_result_is_no_further_seed(tmp_path: Path) -> None:
    result(tmp_path / "results", 1)
    shutil.copy(tmp_path / "results" / "guns-base-60-1.json", tmp_path / "results" / "guns-base-60-4.json")
    with pytest.raises(PipelineError, match=r"guns-base-60-4\.json: holds the result of guns-base-60-1; remove it"):
        write_table(tmp_path / "results", tmp_path / "s", tmp_path / "m", against="base", steps_of=STEPS)


@pytest.mark.parametrize("other", [{"part": "val"}, {"images": 8}])
def test_scores_on_different_images_have_no_table(tmp_path: Path, other: dict[str, Any]) -> None:
    result(tmp_path / "results", 1)
    result(tmp_path / "results", 2, arm="none", **other)
    with pytest.raises(PipelineError, match=r"guns-none-60-2 is scored on .*dvc repro -f train@guns-none-60-2"):
        write_table(tmp_path / "results", tmp_path / "s", tmp_path / "m", against="base", steps_of=STEPS)


@pytest.mark.parametrize("score", [62.0, -0.1])
def test_a_score_is_a_share(tmp_path: Path, score: float) -> None:
    result(tmp_path / "results", 1, mAP=score)
    with pytest.raises(PipelineError, match="mAP"):
        write_table(tmp_path / "results", tmp_path / "s", tmp_path / "m", against="base", steps_of=STEPS)


def test_an_unknown_section_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"studies/params\.yaml: no section `trian`; there are: ingest, "):
        write_params(PARAMS, tmp_path / "run", tmp_path / "guns", {"trian": {"steps": 1}})


def test_a_misspelt_key_in_trials_yaml_is_named(tmp_path: Path) -> None:
    text = (STUDIES / "starts" / "trials.yaml").read_text()
    (tmp_path / "trials.yaml").write_text(text.replace("scored_on: test", "scored_on: train"))
    with pytest.raises(PipelineError, match="scored_on"):
        read_trials_params(tmp_path / "trials.yaml")
    with pytest.raises(PipelineError, match="no such file"):
        read_trials_params(tmp_path / "other.yaml")
