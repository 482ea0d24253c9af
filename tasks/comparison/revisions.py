"""The results of a run: of the working tree, of another folder, or of a commit, tag, branch or DVC experiment."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import yaml

from tasks.comparison.cached_outputs import copy_from_cache
from tasks.errors import ParamsError, PipelineError
from tasks.ground.git import git
from tasks.params.recipes import with_recipe
from tasks.params.value_types import false_as_off

_PARAMS = "params.yaml"
_LOCK = "dvc.lock"

T = TypeVar("T")


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
    """

    name: str
    folder: Path
    photos: Path
    params: dict[str, Any]
    outdated: tuple[str, ...] = ()
    given: str = ""

    def path(self, name: str) -> Path:
        """Where `name` of `paths:` lies."""
        return self.folder / _paths(self.params, [name], self.name)[0]


def find_run(name: str, root: Path, needed: Iterable[str], copies: Path, command: str = "dvc repro") -> Run:
    """The run called `name`.

    Args:
        name: a folder with a params.yaml and results (`.` for the working tree), else a git revision or the name of a
            DVC experiment in `root`.
        root: the project's repository.
        needed: names in `paths:` that are read.
        copies: an empty folder, to which DVC's outputs of a revision are copied from its cache.
        command: what makes them, for messages.

    Raises:
        PipelineError: it is neither, or its results are missing.
    """
    folder = Path(name)
    if (folder / _PARAMS).is_file():
        file, lock = folder / _PARAMS, folder / _LOCK
        params = _parsed(file.read_bytes(), str(file))
        made_with = _made_with(_yaml(lock.read_bytes(), str(lock))) if lock.is_file() else {}
        run = _run(name, name, folder, folder, params, made_with)
        missing = [str(path) for key in needed if not (path := run.path(key)).exists()]
        if missing:
            raise PipelineError(
                f"{', '.join(missing)}: missing; run `{command}` in {folder} first{_revision_hint(name, root)}"
            )
        return run
    commit = _commit(name, root)
    params = _parsed(git(root, "show", f"{commit}:./{_PARAMS}").encode(), f"{_PARAMS} of {name}")
    has_lock = bool(git(root, "ls-tree", "--name-only", commit, f"./{_LOCK}").strip())
    lock = _yaml(git(root, "show", f"{commit}:./{_LOCK}").encode(), f"{_LOCK} of {name}") if has_lock else {}
    for tracked in _paths(params, needed, name):
        _get(root, commit, lock, tracked, copies, name, command)
    made_with = _made_with(lock)
    full = f"{name} ({commit[:8]})" if not commit.startswith(name) else commit[:8]
    return _run(name, full, copies, root, params, made_with)


def read_both(
    before: str, after: str, needed: Iterable[str], read: Callable[[Run], T], command: str = "dvc repro"
) -> tuple[T, T]:
    """What `read` makes of the runs of these names in the working directory; other arguments as for `find_run`.

    Raises:
        PipelineError: as `find_run` and `read` raise it.
    """
    with tempfile.TemporaryDirectory() as folder:
        first, second = (
            read(find_run(name, Path(), needed, Path(folder) / place, command))
            for place, name in (("before", before), ("after", after))
        )
    return first, second


def outdated_notes(*runs: Run, sections: Collection[str] | None = None) -> list[str]:
    """A sentence for each run of which a param, in `sections` where they are given, was changed since it was made."""
    notes = []
    for run in runs:
        changed = [key for key in run.outdated if sections is None or key.partition(".")[0] in sections]
        if changed:
            notes.append(
                f"params.yaml of {run.name} was changed after its results were made ({', '.join(changed)}): "
                "this compares the results as they are; `dvc repro` makes them again."
            )
    return notes


def changed_params(before: Run, after: Run) -> list[tuple[str, object, object]]:
    """`(section.key, before, after)` of every value that differs, paths left out; None where a run lacks it."""
    first, second = _flat(before.params), _flat(after.params)
    return [
        (key, first.get(key), second.get(key))
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    ]


def _run(given: str, name: str, folder: Path, photos: Path, params: dict[str, Any], made_with: dict[str, Any]) -> Run:
    current = _flat(params)
    outdated = tuple(sorted(key for key, value in _flat(made_with).items() if key in current and current[key] != value))
    merged = {
        key: {**own, **made_with[key]} if isinstance(own, dict) and isinstance(made_with.get(key), dict) else own
        for key, own in params.items()
    }
    return Run(name, folder, photos, _with_recipe(merged), outdated, given)


def _with_recipe(params: dict[str, Any]) -> dict[str, Any]:
    """The params with what their recipe gives, by the recipes of this version; as they are where it knows no such."""
    try:
        train = with_recipe(params["train"])
    except (KeyError, ValueError):
        return params
    if isinstance(train, dict) and "second_phase" in train:
        # A plain `off` in the file, and the recipe's.
        train = {**train, "second_phase": false_as_off(train["second_phase"])}
    return {**params, "train": train}


def _made_with(lock: Any) -> dict[str, Any]:
    """The params of all stages in the content of a dvc.lock, section by section."""
    stages = lock.get("stages") if isinstance(lock, dict) else None
    found: dict[str, Any] = {}
    for stage in stages.values() if isinstance(stages, dict) else []:
        files = stage.get("params") if isinstance(stage, dict) else None
        sections = files.get(_PARAMS) if isinstance(files, dict) else None
        found |= sections if isinstance(sections, dict) else {}
    return found


def _parsed(content: bytes, where: str) -> dict[str, Any]:
    params = _yaml(content, where)
    if not isinstance(params, dict) or not isinstance(params.get("paths"), dict):
        raise ParamsError(f"{where}: no section `paths:` in it; it is no params.yaml of this pipeline")
    return params


def _yaml(content: bytes, where: str) -> Any:
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise ParamsError(f"{where}: not YAML: {error}") from error


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
    listed = git(root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps").splitlines()
    found = {line.split(" ")[0]: "an experiment" for line in listed if line.split("/")[-1] == name}
    revision = _revision(name, root)
    if revision:
        found.setdefault(revision, "a git revision")
    if not found:
        raise PipelineError(
            f"{name}: neither a folder with a {_PARAMS}, nor a git revision, nor an experiment of `dvc exp show`"
        )
    if len(found) > 1:
        candidates = ", ".join(f"{commit[:8]} ({what})" for commit, what in found.items())
        raise PipelineError(f"{name}: the name of more than one: {candidates}; give these digits instead of the name")
    return next(iter(found))


def _revision(name: str, root: Path) -> str | None:
    try:
        return git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
    except PipelineError:
        return None


def _revision_hint(name: str, root: Path) -> str:
    """A hint for the case that a git revision of the folder's name was meant."""
    commit = _revision(name, root)
    return f"; the git revision of that name is {commit[:8]}" if commit else ""


def _get(root: Path, commit: str, lock: Any, path: PurePosixPath, copies: Path, name: str, command: str) -> None:
    if path.is_absolute() or ".." in path.parts:
        raise ParamsError(f"{_PARAMS} of {name}: {path} lies outside the project; only `.` can be compared with it")
    target = copies / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy_from_cache(root, lock, path, target):
        return
    dvc_get = [sys.executable, "-m", "dvc", "get", "--quiet", "--rev", commit, "-o", str(target), ".", str(path)]
    done = subprocess.run(dvc_get, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode or not target.exists():
        lines = [line for line in done.stderr.strip().splitlines() if "Having any troubles?" not in line]
        why = "no dvc.lock was committed there: after a run, git add dvc.lock splits.json params.yaml, and commit"
        reason = f" ({why if not lock else lines[-1]})" if lines or not lock else ""
        raise PipelineError(
            f"{path} of {name}: not in DVC's cache{reason}; `dvc fetch "
            f"--all-commits` brings what was pushed, `git checkout {name} && {command}` makes it again"
        )
