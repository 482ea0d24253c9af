"""The clone that an agent on this machine works in."""

import shutil
import subprocess
from pathlib import Path

from dvc.repo import Repo

from flows.remote import CHANGES, own_changes


class CloneError(Exception):
    """No clone could be made; the message says what to do."""


def make_clone(root: Path, folder: Path) -> None:
    """Clone the project at `root` into `folder`, or bring the clone there to the same commit; share DVC's remote.

    Raises:
        CloneError: git or DVC refused.
    """
    if not (folder / ".git").is_dir():
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _git(root, "clone", "--quiet", str(root), str(partial))
        partial.replace(folder)
    own = own_changes(_git(folder, *CHANGES))
    if own:
        raise CloneError(
            f"no clone for the agent: {folder} has changes that a check-out would lose: {', '.join(own[:5])}. Commit "
            "them or take them back, or give the agent a folder that nobody works in"
        )
    _git(folder, "fetch", "--quiet", "origin")
    _git(folder, "checkout", "--quiet", "--force", "--detach", _git(root, "rev-parse", "HEAD").strip())
    _share_remote(root, folder)


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


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CloneError(
            f"no clone for the agent: git {arguments[0]} failed in {folder}: {done.stderr.strip()}. "
            "An agent works in a git clone of this project, which needs a commit"
        )
    return done.stdout
