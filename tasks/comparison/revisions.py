"""The results of a run: of the working tree, of another folder, or of a commit, tag, branch or DVC experiment."""

import tempfile
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tasks.comparison.cached_outputs import copy_from_cache
from tasks.comparison.run import Run, copy_result, is_inside, result_path
from tasks.errors import ParamsError, PipelineError
from tasks.ground.git import git
from tasks.params.recipes import with_recipe
from tasks.params.value_types import false_as_off

_PARAMS = "params.yaml"
_LOCK = "dvc.lock"

T = TypeVar("T")


def find_run(
    name: str,
    root: Path,
    needed: Iterable[str],
    copies: Path,
    command: str = "dvc repro",
    optional: Iterable[str] = (),
) -> Run:
    """The run called `name`.

    Args:
        name: a folder with a params.yaml and results (`.` for the working tree), else a git revision or the name of a
            DVC experiment in `root`.
        root: the project's repository.
        needed: names in `paths:` that are read.
        copies: an empty folder, to which DVC's outputs of a revision are copied from its cache.
        command: what makes them, for messages.
        optional: names in `paths:` that are read where they are at hand.

    Raises:
        PipelineError: it is neither, or its results are missing.
    """
    folder = Path(name)
    if (folder / _PARAMS).is_file():
        file, lock = folder / _PARAMS, folder / _LOCK
        params = _parsed(file.read_bytes(), str(file))
        locked = _yaml(lock.read_bytes(), str(lock)) if lock.is_file() else {}
        run = _run(name, name, folder, folder, params, locked)
        missing = [str(path) for key in needed if not (path := run.path(key)).exists()]
        if missing:
            raise PipelineError(
                f"{', '.join(missing)}: missing; run `{command}` in {folder} first{_revision_hint(name, root)}"
            )
        return run
    commit = _commit(name, root)
    params = _parsed(git(root, "show", f"{commit}:./{_PARAMS}").encode(), f"{_PARAMS} of {name}")
    has_lock = bool(git(root, "ls-tree", "--name-only", commit, f"./{_LOCK}").strip())
    locked = _yaml(git(root, "show", f"{commit}:./{_LOCK}").encode(), f"{_LOCK} of {name}") if has_lock else {}
    full = f"{name} ({commit[:8]})" if not commit.startswith(name) else commit[:8]
    run = _run(name, full, copies, root, params, locked, commit)
    for key in needed:
        copy_result(run, key, run.path(key), root, command)
    for key in optional:
        if isinstance(params["paths"].get(key), str) and is_inside(result_path(run, key)):
            copy_from_cache(root, locked, result_path(run, key), run.path(key))
    return run


def read_both(
    before: str,
    after: str,
    needed: Iterable[str],
    read: Callable[[Run], T],
    command: str = "dvc repro",
    optional: Iterable[str] = (),
) -> tuple[T, T]:
    """What `read` makes of the runs of these names in the working directory; other arguments as for `find_run`.

    Raises:
        PipelineError: as `find_run` and `read` raise it.
    """
    with tempfile.TemporaryDirectory() as folder:
        first, second = (
            read(find_run(name, Path(), needed, Path(folder) / place, command, optional))
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


def _run(
    given: str, name: str, folder: Path, photos: Path, params: dict[str, Any], locked: Any, commit: str = ""
) -> Run:
    made_with, current = _made_with(locked), _flat(params)
    outdated = tuple(sorted(key for key, value in _flat(made_with).items() if key in current and current[key] != value))
    merged = {
        key: {**own, **made_with[key]} if isinstance(own, dict) and isinstance(made_with.get(key), dict) else own
        for key, own in params.items()
    }
    return Run(name, folder, photos, _with_recipe(merged), outdated, given, merged, locked, commit)


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


def _commit(name: str, root: Path) -> str:
    # DVC keeps an experiment as a git reference, refs/exps/../NAME, which git does not find by its last part alone.
    listed = git(root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps").splitlines()
    found = {line.split(" ")[0]: "an experiment" for line in listed if line.split("/")[-1] == name}
    revision = _revision(name, root)
    if revision:
        found.setdefault(revision, "a git revision")
    if not found:
        raise PipelineError(
            f"{name}: neither a folder with a {_PARAMS}, nor a git revision, nor an experiment of `dvc exp show` "
            "(`git branch --all` and `git log` list revisions)"
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
