from pathlib import Path

import pytest

from tasks.errors import PipelineError
from tasks.ground.git import git


def test_git_runs_in_the_folder_and_gives_what_it_printed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert git(tmp_path, "rev-parse", "--show-toplevel").strip() == str(tmp_path.resolve())


def test_a_failure_names_the_folder_the_command_and_what_git_printed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(PipelineError, match=rf"{tmp_path}: git rev-parse HEAD failed: fatal: "):
        git(tmp_path, "rev-parse", "HEAD")


def test_a_failure_without_a_message_has_its_exit_code(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(PipelineError, match=r"failed: exit code 1$"):
        git(tmp_path, "rev-parse", "--verify", "--quiet", "missing")


def test_a_folder_without_git_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="not a git repository, which this needs: git init && git add -A && git co"):
        git(tmp_path, "status")
