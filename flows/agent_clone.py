"""The clone that an agent on this machine works in."""

import shutil
from pathlib import Path

from dvc.repo import Repo

from flows.remote import CHANGES, own_changes
from tasks.errors import PipelineError
from tasks.ground.git import git


class CloneError(Exception):
    """The clone could not be made; the message says what to do."""


def make_clone(root: Path, folder: Path) -> None:
    """Clone the project at `root` into `folder`, or bring the clone there to the same commit; share DVC's remote.

    Raises:
        CloneError: git failed, or the clone has changes of its own.
    """
    try:
        _clone_or_check_out(root, folder)
    except PipelineError as error:
        raise CloneError(
            f"no clone for the agent: {error}. An agent works in a git clone of this project, which needs a commit"
        ) from error
    _share_remote(root, folder)


def _clone_or_check_out(root: Path, folder: Path) -> None:
    if not (folder / ".git").is_dir():
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        git(root, "clone", "--quiet", str(root), str(partial))
        partial.replace(folder)
    own = own_changes(git(folder, *CHANGES))
    if own:
        raise CloneError(
            f"no clone for the agent: {folder} has changes that a check-out would lose: {', '.join(own[:5])}. Commit "
            "them or undo them, or give the agent a folder that nobody works in"
        )
    git(folder, "fetch", "--quiet", "origin")
    git(folder, "checkout", "--quiet", "--force", "--detach", git(root, "rev-parse", "HEAD").strip())


def _share_remote(root: Path, folder: Path) -> None:
    """Give the clone this clone's own settings; a remote that is a folder is named by its whole path."""
    local = root / ".dvc" / "config.local"
    if local.is_file():
        shutil.copy(local, folder / ".dvc" / "config.local")
    with Repo(str(root)) as repo:
        name = repo.config["core"].get("remote")
        url = str(repo.config["remote"][name]["url"]) if name else ""
    if url and "://" not in url:
        with Repo(str(folder)) as clone, clone.config.edit("local") as settings:
            settings["remote"].setdefault(name, {})["url"] = str((root / ".dvc" / url).resolve())
