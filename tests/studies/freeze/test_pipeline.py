"""The freeze study: its matrix, what its stages depend on, and what its runs are run with."""

from pathlib import Path

import pytest
import yaml

from studies.base.draw import ANNOTATIONS
from studies.freeze.params import read_study_params
from studies.freeze.run import CODE
from studies.freeze.start import SCENE_STAGES, draw_once, write_smaller_config
from studies.stages import DATA_STAGES, PARAMS, TRAINING_STAGES, code_version, write_params
from tasks.dataset.coco_json import read_coco
from tasks.detector.model_messages import canvas_resizer
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.errors import ParamsError
from tasks.model.definitions import MODELS, find_model
from tasks.stages.table import STAGES
from tests.studies.base_materials import write_library
from tests.studies.freeze.made_up import STUDY


def test_the_matrix_has_every_model_and_arm_of_study_yaml() -> None:
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
        ("start", {"models.${item.model}.name", "models.${item.model}.start", "scenes"}),
        ("train", {"models.${item.model}", "arms.${item.arm}", "steps", "eval_every"}),
        ("timing", {"models.${item.model}", "arms.${item.arm}", "timing_steps"}),
        ("page", {"models", "arms", "seeds", "steps", "scenes"}),
    ],
)
def test_a_stage_tracks_what_it_reads_in_study_yaml(stage: str, keys: set[str]) -> None:
    tracked = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"][stage]["params"]
    assert {key for entry in tracked for key in entry.get("study.yaml", [])} == keys


@pytest.mark.parametrize(
    ("stage", "runs"),
    [("data", DATA_STAGES), ("start", SCENE_STAGES), ("train", TRAINING_STAGES), ("timing", TRAINING_STAGES)],
)
def test_a_stage_tracks_every_section_that_its_stages_of_the_pipeline_read(stage: str, runs: tuple[str, ...]) -> None:
    tracked = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"][stage]["params"]
    sections = {section for entry in tracked for section in entry.get("../params.yaml", [])}
    assert sections == {section for name in runs for section in STAGES[name].sections}


def test_the_pipeline_accepts_the_params_of_every_model(tmp_path: Path) -> None:
    params = read_study_params(STUDY / "study.yaml")
    for model in params.models:
        write_params(PARAMS, tmp_path / model, tmp_path / "data", {"train": params.training(model)})


def test_the_model_that_learns_from_scenes_differs_in_its_input_size_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "ssd_mobilenet_v1_fpn_320x320"
    found = find_model(write_smaller_config(name, 160))
    assert isinstance(found, Path)
    smaller, usual = read_pipeline_config(found), pipeline_proto(MODELS[name])
    assert tuple(canvas_resizer(each).canvas for each in (smaller, usual)) == ((160, 160), (320, 320))
    smaller.model.ssd.image_resizer.CopyFrom(usual.model.ssd.image_resizer)
    assert smaller == usual


def test_a_misspelt_key_of_the_study_is_named(tmp_path: Path) -> None:
    text = (STUDY / "study.yaml").read_text()
    (tmp_path / "study.yaml").write_text(text.replace("eval_every", "eval_evry"))
    with pytest.raises(ParamsError, match=r"eval_evry: Extra inputs are not permitted"):
        read_study_params(tmp_path / "study.yaml")


@pytest.mark.parametrize(
    "path",
    ["tasks/a/b.py", "weights/w.npz", "studies/stages.py", "studies/freeze/run.py", "studies/base/scenes/c.py"],
)
def test_the_version_of_the_code_depends_on_every_file_that_makes_a_run(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.stages.ROOT", tmp_path)
    (tmp_path / path).parent.mkdir(parents=True)
    versions = []
    for content in ("one", "other"):
        (tmp_path / path).write_text(content)
        versions.append(code_version(*CODE))
    assert versions[0] != versions[1]


def test_scenes_of_a_killed_run_are_found_again_but_not_those_of_another_count(tmp_path: Path) -> None:
    materials = write_library(tmp_path / "materials")
    few = draw_once(1, tmp_path, materials)
    (few / "seen").touch()
    assert (draw_once(1, tmp_path, materials) / "seen").exists()
    assert len(read_coco(draw_once(2, tmp_path, materials) / ANNOTATIONS).images) == 2


def test_the_readme_says_how_to_make_the_page_without_more_runs() -> None:
    readme = (STUDY / "README.md").read_text()
    assert "dvc repro -s page" in readme
    assert "dvc repro page" not in readme
