"""The flow `pipeline`: dvc.yaml's graph, each stage a task, independent stages side by side.

`python flows/pipeline.py` runs it here and now, without a server; `prefect deployment run pipeline/local` on a worker.
DVC decides whether a stage runs; this says when, and shows why.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a file, Python looks for modules in flows/ only
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.surroundings import own_server, prepare

prepare(may_run_without_server=__name__ == "__main__")

from prefect import State, flow, get_run_logger, task
from prefect.futures import PrefectFuture
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from flows.child import Outcome, StageInterruptedError, repro
from flows.graph import StageNode, read_graph, reasons_to_run
from flows.overrides import overridden
from flows.publish import progress_watcher, publish
from tasks.errors import PipelineError

# Stages side by side: more would fight for the same cores and DVC lock.
MAX_PARALLEL = 2
_REASONS_SHOWN = 8


def _may_pass(task: Any, run: Any, state: State[Any]) -> bool:
    """Whether a failure is of the kind that is gone later; bad data and bad params stay bad."""
    return isinstance(state.result(raise_on_failure=False), StageInterruptedError)


@task(
    task_run_name="{node.name}",
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=20),
    retry_condition_fn=_may_pass,
)
def stage(node: StageNode, root: Path, force: bool) -> State[Any]:
    """One stage: nothing where DVC finds it up to date, else `dvc repro -s`. The state's name says which."""
    logger = get_run_logger()
    reasons = ["forced"] if force else reasons_to_run(root, node.name)
    if not reasons:
        logger.info("%s: up to date, nothing to do", node.name)
        return Completed(name=Outcome.CACHED.value, message="up to date")
    why = "; ".join(reasons[:_REASONS_SHOWN])
    if len(reasons) > _REASONS_SHOWN:
        why += f"; and {len(reasons) - _REASONS_SHOWN} more"
    logger.info("%s: out of date: %s", node.name, why)
    watch = progress_watcher(node.name) if node.pool else None

    def show(line: str) -> None:
        logger.info("%s", line)
        if watch:
            watch(line)

    outcome = repro(node.name, root, show, force=force)
    return Completed(name=outcome.value, message=why)


# Prefect types the argument too narrowly for its own runner.
_RUNNER: Any = ThreadPoolTaskRunner(max_workers=MAX_PARALLEL)


@flow(name="pipeline", task_runner=_RUNNER)
def pipeline(
    targets: list[str] | None = None,
    params: dict[str, Any] | None = None,
    force: bool = False,
    root: str | None = None,
) -> dict[str, str]:
    """Bring the pipeline up to date.

    Args:
        targets: stages to bring up to date, with all they need; none means all.
        params: values to set in params.yaml first, such as {"train.steps": 500}; taken back if the run fails.
        force: run every stage, also those that are up to date.
        root: the project's folder; the one this file is in when not given.

    Returns:
        For each stage, in order: Cached, Restored or Ran.
    """
    folder = Path(root) if root else Path(__file__).resolve().parents[1]
    with overridden(folder, params or {}):
        nodes = read_graph(folder, targets or [])
        futures = submit_in_order(nodes, lambda node, upstream: _submit(node, folder, force, upstream))
        states = {name: future.wait() or future.state for name, future in futures.items()}
        failed = [name for name, state in states.items() if not state.is_completed()]
        if failed:
            raise RuntimeError(f"not done: {', '.join(failed)}; the log of each says why")
    try:
        publish(folder)
    except PipelineError as error:
        # What ran stands; a page that cannot be drawn is no reason to call the run failed.
        get_run_logger().warning("no artifacts: %s", error)
    outcomes = {name: str(state.name) for name, state in states.items()}
    get_run_logger().info("%s", ", ".join(f"{name} {outcome}" for name, outcome in outcomes.items()))
    return outcomes


def _submit(
    node: StageNode, folder: Path, force: bool, upstream: list[PrefectFuture[Any]]
) -> PrefectFuture[State[Any]]:
    return stage.submit(node, folder, force, return_state=False, wait_for=upstream)


def submit_in_order(
    nodes: Sequence[StageNode], submit: Callable[[StageNode, list[PrefectFuture[Any]]], PrefectFuture[Any]]
) -> dict[str, PrefectFuture[Any]]:
    """Submit each stage with the futures of those it depends on; `nodes` has each after its upstream."""
    futures: dict[str, PrefectFuture[Any]] = {}
    for node in nodes:
        futures[node.name] = submit(node, [futures[name] for name in node.upstream if name in futures])
    return futures


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python flows/pipeline.py", description="Bring the pipeline up to date.")
    parser.add_argument("targets", nargs="*", metavar="STAGE", help="stages to bring up to date (default: all)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as train.steps=500")
    parser.add_argument("--force", action="store_true", help="run stages that are up to date too")
    args = parser.parse_args()
    with own_server():
        pipeline(targets=args.targets, params=dict(_pair(text) for text in args.set), force=args.force)


def _pair(text: str) -> tuple[str, Any]:
    import yaml  # noqa: PLC0415 - the command line only

    key, separator, value = text.partition("=")
    if not separator:
        raise SystemExit(f"--set {text}: expected KEY=VALUE, such as train.steps=500")
    return key, yaml.safe_load(value)


if __name__ == "__main__":
    _main()
