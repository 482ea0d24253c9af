"""The study's dvc.yaml: the pipeline's stages as they are, and deps that say what the code imports."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from studies.base.params import read_scenes_params
from tasks.params import read_params

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "base"
SHARED = ("ingest", "validate", "split", "records", "checkpoint", "configure", "train")
# Folders that only params which this study does not use lead to.
UNUSED = {"configs", "weights"}


@pytest.fixture(scope="module")
def stages() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"]
    return content


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    return content


def sources(module: str) -> set[str]:
    graph = grimp.build_graph("tasks", "studies", exclude_type_checking_imports=True, cache_dir=None)
    files = {ROOT / f"{name.replace('.', '/')}.py" for name in {module, *graph.find_upstream_modules(module)}}
    return {seen_from_study(path) for path in files if path.exists()}


def seen_from_study(path: Path) -> str:
    if path.is_relative_to(STUDY):
        return path.relative_to(STUDY).as_posix()
    return f"../../{path.relative_to(ROOT).as_posix()}"


def test_it_has_its_own_stages_around_the_pipelines(stages: dict[str, Any]) -> None:
    assert list(stages) == ["scenes", *SHARED, "pack"]


@pytest.mark.parametrize("name", SHARED)
def test_a_stage_of_the_pipeline_is_run_as_it_is_there(
    name: str, stages: dict[str, Any], pipeline: dict[str, Any]
) -> None:
    ours, theirs = stages[name], pipeline[name]
    deps = [f"../../{dep}" if dep.startswith("tasks/") else dep for dep in theirs["deps"] if dep not in UNUSED]
    assert ours["deps"] == deps
    assert ours["cmd"] == f"${{run}} -m tasks {name}"
    for key in ("params", "outs", "metrics"):
        assert ours.get(key) == theirs.get(key)


def test_scenes_are_drawn_again_when_their_code_changes(stages: dict[str, Any]) -> None:
    assert set(stages["scenes"]["deps"]) == sources("studies.base.draw")


def test_packing_depends_on_its_code_and_on_the_generators_which_the_card_names(stages: dict[str, Any]) -> None:
    code = {dep for dep in stages["pack"]["deps"] if dep.endswith(".py")}
    generator = {dep for dep in sources("studies.base.draw") if dep.startswith("scenes/")}
    assert code == sources("studies.base.pack") | generator


def test_every_param_of_the_scenes_is_tracked_but_the_number_of_workers(stages: dict[str, Any]) -> None:
    known = {f"scenes.{key}" for key in read_scenes_params(STUDY / "scenes.yaml").model_dump()} - {"scenes.workers"}
    for name in ("scenes", "pack"):
        (tracked,) = [entry["scenes.yaml"] for entry in stages[name]["params"] if isinstance(entry, dict)]
        assert set(tracked) == known


def test_the_params_are_valid_and_start_from_packaged_weights() -> None:
    params = read_params(STUDY / "params.yaml")
    assert params.checkpoint.source == "imagenet"
    assert params.model.name.startswith("ssd_mobilenet_v2_fpnlite")
    assert params.ingest.source == Path("data/scenes/annotations.json")


def test_the_pipelines_dvc_does_not_see_the_studies() -> None:
    command = [sys.executable, "-m", "dvc", "stage", "list", "--all", "--name-only"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout
    assert "train" in listed.split()
    assert "pack" not in listed
    assert "table" not in listed
    assert "studies" not in listed
