"""The stages of a dvc.yaml as tasks of the calling flow, each after those it depends on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prefect import State
from prefect.futures import PrefectFuture

from flows.child import stop_all
from flows.graph import StageNode, read_graph
from flows.stage_run import stage


def run_all(
    folder: Path, targets: Sequence[str], *, force: bool = False, gpu: str | None = None
) -> dict[str, State[Any]]:
    """Bring the stages in `folder` that `targets` need up to date; the flow's task runner limits how many at a time.

    Returns:
        The final state of each, which is named Cached, Restored or Ran.

    Raises:
        GraphError: dvc.yaml is not valid, or a target is unknown.
        RuntimeError: a stage failed.
    """
    nodes = read_graph(folder, targets)
    futures = submit_in_order(nodes, lambda node, upstream: _submit(node, folder, force, gpu, upstream))
    try:
        states = {name: future.wait() or future.state for name, future in futures.items()}
    except BaseException:
        stop_all()  # cancelled, or Ctrl-C: the threads that run stages must not keep this process alive
        raise
    failed = [name for name, state in states.items() if not state.is_completed()]
    if failed:
        raise RuntimeError(f"not done: {', '.join(failed)}; see the log of each")
    return states


def _submit(
    node: StageNode, folder: Path, force: bool, gpu: str | None, upstream: list[PrefectFuture[Any]]
) -> PrefectFuture[State[Any]]:
    # The task has the stage's name before it starts, too.
    return stage.with_options(name=node.name).submit(node, folder, force, gpu, return_state=False, wait_for=upstream)


def submit_in_order(
    nodes: Sequence[StageNode], submit: Callable[[StageNode, list[PrefectFuture[Any]]], PrefectFuture[Any]]
) -> dict[str, PrefectFuture[Any]]:
    """Submit each stage with the futures of those it depends on; `nodes` has each after its upstream."""
    futures: dict[str, PrefectFuture[Any]] = {}
    for node in nodes:
        futures[node.name] = submit(node, [futures[name] for name in node.upstream if name in futures])
    return futures
