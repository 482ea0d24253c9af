"""What a run left behind: of the working tree, of another folder, or of a commit, tag, branch or DVC experiment."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tasks.errors import ParamsError, PipelineError

_PARAMS = "params.yaml"


@dataclass(frozen=True)
class Run:
    """A run whose results can be read.

    Attributes:
        name: as the person called it, and for a revision the commit's first digits.
        folder: where its `params.paths` lie.
        params: its params.yaml as it stands: that of an older version of the project may lack what ours has.
    """

    name: str
    folder: Path
    params: dict[str, Any]

    def path(self, name: str) -> Path:
        """Where `name` of `paths:` lies."""
        return self.folder / _paths(self.params, [name], self.name)[0]


def find_run(name: str, root: Path, needed: Iterable[str], room: Path) -> Run:
    """The run that `name` means.

    Args:
        name: a folder with a params.yaml and results (`.` for the working tree), else a git revision or the name of a
            DVC experiment in `root`.
        root: the project's repository.
        needed: names in `paths:` that are read.
        room: an empty folder, to which DVC's outputs of a revision are copied from its cache.

    Raises:
        PipelineError: it is neither, or its results are not there.
    """
    folder = Path(name)
    if (folder / _PARAMS).is_file():
        run = Run(name, folder, _parsed((folder / _PARAMS).read_bytes(), str(folder / _PARAMS)))
        missing = [str(path) for key in needed if not (path := run.path(key)).exists()]
        if missing:
            raise PipelineError(f"{', '.join(missing)}: not there; run `dvc repro` in {folder} first")
        return run
    commit = _commit(name, root)
    params = _parsed(_git(root, "show", f"{commit}:./{_PARAMS}").encode(), f"{_PARAMS} of {name}")
    for tracked in _paths(params, needed, name):
        _get(root, commit, tracked, room, name)
    return Run(f"{name} ({commit[:8]})" if not commit.startswith(name) else commit[:8], room, params)


def changed_params(before: Run, after: Run) -> list[tuple[str, object, object]]:
    """`(section.key, before, after)` of every value that differs, paths left out; None where a run lacks it."""
    first, second = _flat(before.params), _flat(after.params)
    return [
        (key, first.get(key), second.get(key))
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    ]


def _parsed(content: bytes, where: str) -> dict[str, Any]:
    try:
        params = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise ParamsError(f"{where}: not YAML: {error}") from error
    if not isinstance(params, dict) or not isinstance(params.get("paths"), dict):
        raise ParamsError(f"{where}: no section `paths:` in it; it is no params.yaml of this pipeline")
    return params


def _flat(params: dict[str, Any]) -> dict[str, object]:
    return {
        f"{section}.{key}": value
        for section, values in params.items()
        if section != "paths" and isinstance(values, dict)
        for key, value in values.items()
    }


def _paths(params: dict[str, Any], needed: Iterable[str], where: str) -> list[PurePosixPath]:
    found = []
    for name in needed:
        path = params["paths"].get(name)
        if not isinstance(path, str) or not path:
            raise ParamsError(f"{_PARAMS} of {where}: paths.{name} is no path")
        found.append(PurePosixPath(path))
    return found


def _commit(name: str, root: Path) -> str:
    # DVC keeps an experiment as a git reference, refs/exps/../NAME, which git does not find by its last part alone.
    listed = _git(root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps").splitlines()
    experiments = {line.split("/")[-1]: line.split(" ")[0] for line in listed}
    if name in experiments:
        return experiments[name]
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
    except PipelineError as error:
        raise PipelineError(
            f"{name}: neither a folder with a {_PARAMS}, nor a git revision, nor an experiment of `dvc exp show`"
        ) from error


def _get(root: Path, commit: str, path: PurePosixPath, room: Path, name: str) -> None:
    if path.is_absolute() or ".." in path.parts:
        raise ParamsError(f"{_PARAMS} of {name}: {path} lies outside the project; only `.` can be compared with it")
    target = room / path
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dvc", "get", "--quiet", "--rev", commit, "-o", str(target), ".", str(path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode or not target.exists():
        said = done.stderr.strip().splitlines()
        raise PipelineError(
            f"{path} of {name}: not in DVC's cache ({said[-1] if said else 'no reason given'}); `dvc fetch "
            f"--all-commits` brings what was pushed, `git checkout {name} && dvc repro` makes it again"
        )


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineError(f"git {' '.join(arguments)}: {done.stderr.strip() or 'failed'}")
    return done.stdout
