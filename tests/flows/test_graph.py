import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.graph import GraphError, changed_values, describe_changes, read_graph, reasons_to_run
from tests.flows.conftest import run


def test_every_stage_of_a_matrix_comes_after_the_stages_it_depends_on(project: Path) -> None:
    nodes = read_graph(project)
    names = [node.name for node in nodes]
    assert sorted(names) == ["arm@0", "arm@4", "other", "remote", "take"]
    assert names.index("take") < min(names.index("arm@0"), names.index("arm@4"))
    arm = next(node for node in nodes if node.name == "arm@4")
    assert (arm.upstream, arm.pool) == (("take",), "gpu")


def test_a_target_selects_the_stages_it_needs_and_no_others(project: Path) -> None:
    assert [node.name for node in read_graph(project, ["arm@4"])] == ["take", "arm@4"]
    assert {node.name for node in read_graph(project, ["arm"])} == {"take", "arm@0", "arm@4"}


def test_an_unknown_target_is_named_with_those_that_exist(project: Path) -> None:
    with pytest.raises(
        GraphError, match=r"trian: no such stage in dvc\.yaml; there are arm@0, arm@4, other, remote, take"
    ):
        read_graph(project, ["trian"])


def test_a_broken_dvc_yaml_is_a_clear_error(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages:\n  take: 3\n")
    with pytest.raises(GraphError, match=r"dvc\.yaml"):
        read_graph(project)


def test_a_folder_without_git_is_said_with_the_remedy_and_then_works(project: Path) -> None:
    shutil.rmtree(project / ".git")
    with pytest.raises(GraphError, match="is not a git repository: `make setup` has DVC do without one"):
        read_graph(project)
    run(project, sys.executable, "-m", "dvc", "config", "--local", "core.no_scm", "true")  # what `make setup` does
    assert "take" in {node.name for node in read_graph(project)}


def test_the_reasons_to_run_name_what_changed(project: Path) -> None:
    assert reasons_to_run(project, "take") == ["it has not run yet"]
    subprocess.run([sys.executable, "-m", "dvc", "repro", "take"], cwd=project, check=True, capture_output=True)
    assert reasons_to_run(project, "take") == []
    (project / "params.yaml").write_text("take:\n  steps: 2\n")
    assert reasons_to_run(project, "take") == ["take.steps was 1 and is 2"]
    (project / "source.txt").write_text("b")
    assert "source.txt is modified" in reasons_to_run(project, "take")


def test_a_change_is_described_by_its_kind() -> None:
    changes = [
        {"changed deps": {"data": "modified", "params.yaml": {"train.steps": "modified"}}},
        {"changed outs": {"models": "deleted"}},
        "changed command",
    ]
    assert describe_changes(changes) == [
        "data is modified",
        "output models is deleted",
        "changed command",
    ]


def test_changed_values_are_named_with_old_and_new() -> None:
    before = {"train": {"steps": 300, "augment": {"flip": 0.5}, "gone": 1}}
    now = {"train": {"steps": 300, "augment": {"flip": 0.25}, "new": True}}
    assert changed_values(before, now, "") == [
        "train.augment.flip was 0.5 and is 0.25",
        "train.gone was 1 and is None",
        "train.new was None and is True",
    ]
    assert changed_values({}, {}, "") == []
