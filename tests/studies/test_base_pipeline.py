"""The base study's dvc.yaml: it tracks what the pipeline's stages read, and keeps what they write."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from studies.base.params import read_scenes_params
from studies.stages import DATA_STAGES, TRAINING_STAGES
from tasks.params import read_params
from tasks.stages.table import STAGES

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "base"


@pytest.fixture(scope="module")
def stages() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"]
    return content


@pytest.mark.parametrize(("name", "runs"), [("data", DATA_STAGES), ("train", TRAINING_STAGES)])
def test_a_stage_tracks_every_param_that_its_stages_of_the_pipeline_read(
    name: str, runs: tuple[str, ...], stages: dict[str, Any]
) -> None:
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert set(stages[name]["params"]) == {param for stage in runs for param in pipeline[stage]["params"]}


@pytest.mark.parametrize(("name", "runs"), [("data", DATA_STAGES), ("train", TRAINING_STAGES)])
def test_what_the_stages_of_the_pipeline_write_is_kept_or_read_within_the_stage(
    name: str, runs: tuple[str, ...], stages: dict[str, Any]
) -> None:
    written = {path for stage in runs for path in STAGES[stage].writes}
    read_within = {path for stage in runs for path in STAGES[stage].reads}
    kept = set(re.findall(r"\$\{paths\.(\w+)\}", str(stages[name]["outs"] + stages[name]["metrics"])))
    assert kept <= written
    # What the linter found is printed where it matters.
    assert written - kept <= read_within | {"lint"}


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


def test_the_lock_file_names_no_stage_that_does_not_exist(stages: dict[str, Any]) -> None:
    locked = yaml.safe_load((STUDY / "dvc.lock").read_text())["stages"]
    assert set(locked) <= set(stages)


def test_the_pipelines_dvc_does_not_see_the_studies() -> None:
    command = [sys.executable, "-m", "dvc", "stage", "list", "--all", "--name-only"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout
    assert "train" in listed.split()
    assert "pack" not in listed
    assert "table" not in listed
    assert "studies" not in listed
