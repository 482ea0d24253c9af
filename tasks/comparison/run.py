"""A run of the pipeline: its params, and where its results lie."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.comparison.cached_outputs import copy_from_cache
from tasks.errors import ParamsError, PipelineError


@dataclass(frozen=True)
class Run:
    """A run whose results can be read.

    Attributes:
        name: as given on the command line, and for a revision the commit's first digits.
        folder: where its `params.paths` lie.
        photos: where the folders of its images lie; those of a revision lie in the working tree.
        params: the params that its results were made with, from dvc.lock, else from params.yaml, with the values
            of their recipe; those of an older version of the project may lack keys.
        outdated: `section.key` of the params that params.yaml has changed since the results were made.
        given: the name as given on the command line.
        raw: `params` without the values of the recipe: what params.yaml would have to hold.
        lock: the content of dvc.lock; empty where there is none.
        commit: of a revision; empty for a folder.
    """

    name: str
    folder: Path
    photos: Path
    params: dict[str, Any]
    outdated: tuple[str, ...] = ()
    given: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    lock: Any = field(default_factory=dict)
    commit: str = ""

    def path(self, name: str) -> Path:
        """Where `name` of `paths:` lies."""
        return self.folder / result_path(self, name)


def result_path(run: Run, name: str) -> PurePosixPath:
    """`name` of `paths:`, relative to the project's folder.

    Raises:
        ParamsError: it is no path.
    """
    path = run.params["paths"].get(name)
    if not isinstance(path, str) or not path:
        raise ParamsError(f"params.yaml of {run.name}: paths.{name} is no path")
    return PurePosixPath(path)


def locked_stages(run: Run) -> dict[str, Mapping[str, Any]]:
    """The stages of its dvc.lock by name; empty where there is none, or it holds something else."""
    stages = run.lock.get("stages") if isinstance(run.lock, dict) else None
    return {name: own for name, own in stages.items() if isinstance(own, dict)} if isinstance(stages, dict) else {}


def copy_result(run: Run, name: str, target: Path, root: Path, command: str = "dvc repro") -> None:
    """Copy the result `name` of `paths:` of a run to `target`, where nothing stands: from its folder or DVC's cache.

    Raises:
        PipelineError: it is missing; the message says how to have it.
    """
    if run.commit:
        _get(root, run, result_path(run, name), target, command)
        return
    source = run.path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        shutil.copyfile(source, target)
    else:
        raise PipelineError(f"{source}: missing; run `{command}` in {run.folder} first")


def is_inside(path: PurePosixPath) -> bool:
    """Whether a path relative to the project's folder stays in it."""
    return not (path.is_absolute() or ".." in path.parts)


def _get(root: Path, run: Run, path: PurePosixPath, target: Path, command: str) -> None:
    if not is_inside(path):
        raise ParamsError(
            f"params.yaml of {run.given}: {path} lies outside the project; only `.` can be compared with it"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy_from_cache(root, run.lock, path, target):
        return
    dvc_get = [sys.executable, "-m", "dvc", "get", "--quiet", "--rev", run.commit, "-o", str(target), ".", str(path)]
    done = subprocess.run(dvc_get, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode or not target.exists():
        lines = [line for line in done.stderr.strip().splitlines() if "Having any troubles?" not in line]
        why = "no dvc.lock was committed there: after a run, git add dvc.lock splits.json params.yaml, and commit"
        reason = f" ({why if not run.lock else lines[-1]})" if lines or not run.lock else ""
        raise PipelineError(
            f"{path} of {run.given}: not in DVC's cache{reason}; `dvc fetch "
            f"--all-commits` brings what was pushed, `git checkout {run.given} && {command}` makes it again"
        )
