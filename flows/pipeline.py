"""The flow `pipeline`: dvc.yaml's graph, each stage a task, independent stages side by side.

`python flows/pipeline.py` runs it here and now, without a server; `prefect deployment run pipeline/local` on a worker.
DVC decides whether a stage runs; this says when, and shows why.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a file, Python looks for modules in flows/ only
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.surroundings import own_server, prepare

prepare(may_run_without_server=__name__ == "__main__")

from prefect import State, flow, get_run_logger
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from flows.agents import cancel_agents
from flows.child import stop_all
from flows.clone import held
from flows.graph import StageNode, read_graph
from flows.notify import notify
from flows.overrides import overridden
from flows.publish import publish
from flows.stage_run import stage
from tasks.errors import PipelineError

# Stages at once, those that wait for agents included; `stage` bounds those that run here.
_MAX_WAITING = 16

# Prefect types the argument too narrowly for its own runner.
_RUNNER: Any = ThreadPoolTaskRunner(max_workers=_MAX_WAITING)


@flow(
    name="pipeline",
    task_runner=_RUNNER,
    on_completion=[notify],
    on_failure=[notify],
    on_crashed=[notify],
    on_cancellation=[cancel_agents, notify],
)
def pipeline(
    targets: list[str] | None = None,
    params: dict[str, Any] | None = None,
    force: bool = False,
    gpu: str | None = None,
    root: str | None = None,
) -> dict[str, str]:
    """Bring the pipeline up to date.

    Args:
        targets: stages to bring up to date, with all they need; none means all.
        params: values to set in params.yaml first, such as {"train.steps": 500}; taken back if the run fails.
        force: run every stage, also those that are up to date.
        gpu: the deployment that runs stages of the gpu pool in another clone, such as train-stage/gpu; none means here.
        root: the project's folder; the one this file is in when not given.

    Returns:
        For each stage, in order: Cached, Restored or Ran.
    """
    folder = Path(root) if root else Path(__file__).resolve().parents[1]
    logger = get_run_logger()
    with held(folder, logger.info):
        with overridden(folder, params or {}):
            states = _run_all(folder, targets or [], force, gpu)
        try:
            publish(folder)
        except PipelineError as error:
            # What ran stands; a page that cannot be drawn is no reason to call the run failed.
            logger.warning("no artifacts: %s", error)
    outcomes = {name: str(state.name) for name, state in states.items()}
    logger.info("%s", ", ".join(f"{name} {outcome}" for name, outcome in outcomes.items()))
    return outcomes


def _run_all(folder: Path, targets: list[str], force: bool, gpu: str | None) -> dict[str, State[Any]]:
    nodes = read_graph(folder, targets)
    futures = submit_in_order(nodes, lambda node, upstream: _submit(node, folder, force, gpu, upstream))
    try:
        states = {name: future.wait() or future.state for name, future in futures.items()}
    except BaseException:
        stop_all()  # cancelled, or Ctrl-C: the threads that run stages must not hold this process
        raise
    failed = [name for name, state in states.items() if not state.is_completed()]
    if failed:
        raise RuntimeError(f"not done: {', '.join(failed)}; the log of each says why")
    return states


def _submit(
    node: StageNode, folder: Path, force: bool, gpu: str | None, upstream: list[PrefectFuture[Any]]
) -> PrefectFuture[State[Any]]:
    # Named after the stage before it starts, too.
    return stage.with_options(name=node.name).submit(node, folder, force, gpu, return_state=False, wait_for=upstream)


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
    parser.add_argument("--gpu", metavar="DEPLOYMENT", help="where stages of the gpu pool run, such as train-stage/gpu")
    args = parser.parse_args()
    # A shell lets what it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with own_server():
        pipeline(targets=args.targets, params=dict(_pair(text) for text in args.set), force=args.force, gpu=args.gpu)


def _pair(text: str) -> tuple[str, Any]:
    import yaml  # noqa: PLC0415 - the command line only

    key, separator, value = text.partition("=")
    if not separator:
        raise SystemExit(f"--set {text}: expected KEY=VALUE, such as train.steps=500")
    return key, yaml.safe_load(value)


if __name__ == "__main__":
    _main()
