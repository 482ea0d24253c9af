"""The copy of a project: which files, which params, and that it stays apart from the user's."""

import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
import yaml

from tasks.comparison import project_copy as module
from tasks.comparison.project_copy import copy_project
from tasks.comparison.run import Run
from tasks.errors import PipelineError
from tasks.ground.imports import import_object

PARAMS = {"paths": {"trained": "models/trained"}, "train": {"steps": 1}}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose project lies in a folder of it, with photos that git tracks, and a link that leads away."""
    # The cache is DVC's to name, which takes it a second.
    monkeypatch.setattr(module, "cache_folder", lambda root: root / ".dvc/cache")
    root = tmp_path / "repository"
    for name in ("tasks/x.py", "study/dvc.yaml", "study/dvc.lock", "study/.dvc/config", "study/photos/a.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    (root / "study/params.yaml").write_text("# As it was.\npaths: {trained: models/trained}\n", encoding="utf-8")
    (root / "study/away").symlink_to("/etc")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.invalid", "commit", "--quiet", "--message", "start")
    return root


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


EXPECTED = {"tasks/x.py", "study/dvc.yaml", "study/.dvc/config", "study/.dvc/config.local", "study/params.yaml"}


def test_of_a_commit_the_whole_tree_is_copied_but_photos_links_and_dvc_lock(repository: Path, tmp_path: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "tasks/x.py").write_text("changed since", encoding="utf-8")
    run = Run("HEAD", tmp_path, repository / "study", PARAMS, commit=commit)
    project = copy_project(run, repository / "study", tmp_path / "copy", PurePosixPath("photos"))
    assert project == tmp_path / "copy/study"
    assert files(tmp_path / "copy") == EXPECTED
    assert (tmp_path / "copy/tasks/x.py").read_text(encoding="utf-8") == "tasks/x.py"
    assert (project / "params.yaml").read_text(encoding="utf-8").startswith("# As it was.")
    config = (project / ".dvc/config.local").read_text(encoding="utf-8")
    assert "no_scm = true" in config
    assert 'dir = "../../../repository/study/.dvc/cache"' in config


def test_of_a_folder_what_git_does_not_ignore_is_copied_as_it_is(repository: Path, tmp_path: Path) -> None:
    (repository / "tasks/x.py").write_text("changed since", encoding="utf-8")
    (repository / "tasks/new.py").write_text("new", encoding="utf-8")
    (repository / ".gitignore").write_text("ignored\n", encoding="utf-8")
    (repository / "ignored").touch()
    run = Run("study", repository / "study", repository / "study", PARAMS)
    copy_project(run, repository / "study", tmp_path / "copy", PurePosixPath("photos"))
    assert files(tmp_path / "copy") == EXPECTED | {"tasks/new.py", ".gitignore"}
    assert (tmp_path / "copy/tasks/x.py").read_text(encoding="utf-8") == "changed since"


def test_params_are_written_as_the_results_were_made_with_them(repository: Path, tmp_path: Path) -> None:
    run = Run("study", repository / "study", repository / "study", PARAMS, ("train.steps",), raw=PARAMS)
    project = copy_project(run, repository / "study", tmp_path / "copy", PurePosixPath("."))
    assert yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8")) == PARAMS
    # Nothing of the project is taken for photos where they lie in its own folder.
    assert "study/photos/a.jpg" in files(tmp_path / "copy")


def test_a_project_without_dvc_yaml_and_a_commit_that_is_gone_are_refused(repository: Path, tmp_path: Path) -> None:
    run = Run("study", repository / "study", repository / "study", PARAMS)
    (repository / "study/dvc.yaml").unlink()
    with pytest.raises(PipelineError, match=r"no dvc\.yaml in it"):
        copy_project(run, repository / "study", tmp_path / "copy", PurePosixPath("photos"))
    with pytest.raises(PipelineError, match="git archive --format=tar 1234 failed"):
        copy_project(replace(run, commit="1234"), repository / "study", tmp_path / "other", PurePosixPath("photos"))


@pytest.mark.parametrize("name", ["a b", "with # and ,", "it's", 'a "quoted" one', "\u202eturned"])
def test_a_cache_of_any_name_is_found(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    cache = tmp_path / name
    monkeypatch.setattr(module, "cache_folder", lambda root: cache)
    run = Run("study", repository / "study", repository / "study", PARAMS)
    project = copy_project(run, repository / "study", tmp_path / "copy", PurePosixPath("photos"))
    # What DVC reads its files with; it has no types.
    read = import_object("configobj:ConfigObj")(str(project / ".dvc/config.local"), encoding="utf-8")
    assert (project / ".dvc" / read["cache"]["dir"]).resolve() == cache.resolve()
