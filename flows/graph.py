"""dvc.yaml's graph, and which stages in it are out of date, as plain values.

Only this module and remote.py use DVC's internals (DVC is pinned).

`Repo.index.graph` has an edge from a stage to each it depends on; foreach and matrix are expanded already.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
from dvc.dependency.param import ParamsDependency
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo

WITHOUT_GIT = (
    "`make setup` has DVC do without one; or make it one: git init && git add -A && git commit -m start (experiments, "
    "comparing revisions and agents need that)"
)
# DVC's objects are not made for threads; questions to it take a fraction of a second.
_LOCK = threading.Lock()


class GraphError(Exception):
    """dvc.yaml cannot be read, or lacks a target."""


@dataclass(frozen=True)
class StageNode:
    """One stage of dvc.yaml.

    Attributes:
        name: as `dvc repro` takes it, such as `train` or `arm@4-0`.
        upstream: the stages it depends on directly.
        pool: the work pool in its `meta: {pool: ...}`, or None.
    """

    name: str
    upstream: tuple[str, ...]
    pool: str | None


def read_graph(root: Path, targets: Sequence[str] = ()) -> list[StageNode]:
    """The stages that `targets` need (no targets: all), each after those it depends on.

    Raises:
        GraphError: dvc.yaml is not valid, or a target is unknown.
    """
    with open_repo(root) as repo:
        graph = repo.index.graph
        names = {stage: _name(stage, root) for stage in graph}
        wanted = _needed_stages(graph, names, targets)
        order = [stage for stage in reversed(list(nx.topological_sort(graph))) if stage in wanted]
        return [
            StageNode(
                name=names[stage],
                upstream=tuple(sorted(names[other] for other in graph.successors(stage))),
                pool=(getattr(stage, "meta", None) or {}).get("pool"),
            )
            for stage in order
            if getattr(stage, "cmd", None)
        ]


def reasons_to_run(root: Path, name: str) -> list[str]:
    """Why a stage is out of date, in words; empty when it is up to date.

    Raises:
        GraphError: DVC cannot read it.
    """
    with open_repo(root) as repo:
        stage = find_stage(repo, root, name)
        if stage.outs and not any(out.hash_info for out in stage.outs):
            return ["it has not run yet"]
        changes = [c for found in repo.status(targets=[stage.addressing], with_deps=False).values() for c in found]
        params = [change for dep in stage.deps if isinstance(dep, ParamsDependency) for change in _param_changes(dep)]
    return params + describe_changes(changes)


@contextmanager
def open_repo(root: Path) -> Iterator[Repo]:
    """DVC's view of the clone at `root`, while nothing else writes dvc.lock.

    Raises:
        GraphError: dvc.yaml is not valid, or a question to DVC failed.
    """
    with _LOCK:
        try:
            with Repo(str(root), _wait_for_lock=True) as repo, lock_repo(repo):
                yield repo
        except DvcException as error:
            remedy = f": {WITHOUT_GIT}" if "not a git repository" in str(error) else ""
            raise GraphError(f"{root}/dvc.yaml: {error}{remedy}") from error


def find_stage(repo: Repo, root: Path, name: str) -> Any:
    """DVC's object for the stage.

    Raises:
        GraphError: there is no such stage.
    """
    for stage in repo.index.stages:
        if _name(stage, root) == name:
            return stage
    raise GraphError(f"{name}: no such stage in {root}/dvc.yaml")


def describe_changes(changes: Sequence[Any]) -> list[str]:
    """What `dvc status` reports of one stage, in words: a list of `changed ...` entries; without changed params."""
    found: list[str] = []
    for change in changes:
        if isinstance(change, str):
            found.append(change)
            continue
        for kind, entries in change.items():
            what = {"changed deps": "", "changed outs": "output "}.get(kind, f"{kind} ")
            for path, state in entries.items():
                if not isinstance(state, dict):
                    found.append(f"{what}{path} is {state}")
    return found


def changed_values(before: Any, now: Any, key: str) -> list[str]:
    """The values that differ between two sections of params, each with its whole name, old and new."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = [*before, *(name for name in now if name not in before)]
        return [
            change
            for name in names
            for change in changed_values(before.get(name), now.get(name), f"{key}.{name}" if key else str(name))
        ]
    return [] if before == now else [f"{key} was {before} and is {now}"]


def _param_changes(dep: Any) -> list[str]:
    before = dep.hash_info.value if dep.hash_info else {}
    return changed_values(before or {}, dep.read_params() if dep.exists else {}, "")


def _name(stage: Any, root: Path) -> str:
    """As `dvc repro` takes it in `root`; DVC's own `addressing` is relative to this process's working directory."""
    file = Path(stage.path).resolve().relative_to(root.resolve()).as_posix()
    name = getattr(stage, "name", None)
    if name is None:
        return file
    return name if file == "dvc.yaml" else f"{file}:{name}"


def _needed_stages(graph: Any, names: dict[Any, str], targets: Sequence[str]) -> set[Any]:
    if not targets:
        return set(graph)
    by_name = {name: stage for stage, name in names.items()}
    wanted: set[Any] = set()
    for target in targets:
        matches = [stage for name, stage in by_name.items() if name == target or name.split("@")[0] == target]
        if not matches:
            raise GraphError(f"{target}: no such stage in dvc.yaml; there are {', '.join(sorted(by_name))}")
        for stage in matches:
            wanted |= {stage, *nx.descendants(graph, stage)}
    return wanted
