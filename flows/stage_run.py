"""One stage as a Prefect task: `dvc repro -s`, here or on an agent, unless DVC finds the stage up to date."""

import threading
from pathlib import Path
from typing import Any

from prefect import State, get_run_logger, task
from prefect.states import Completed
from prefect.tasks import exponential_backoff

from flows.agents import run_on_agent
from flows.child import Outcome, StageInterruptedError, refuse_unstored, repro
from flows.graph import StageNode, reasons_to_run
from flows.publish import progress_watcher

# Stages side by side on this machine: more would compete for the same cores and DVC lock.
MAX_PARALLEL = 2
# The work pool of `meta: {pool: gpu}`, whose stages go to an agent where there is one.
AGENT_POOL = "gpu"
_REASONS_SHOWN = 8
_HERE = threading.BoundedSemaphore(MAX_PARALLEL)


def _may_succeed_later(task: Any, run: Any, state: State[Any]) -> bool:
    """Whether trying again may help: not where data or params are at fault."""
    return isinstance(state.result(raise_on_failure=False), StageInterruptedError)


@task(
    task_run_name="{node.name}",
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=20),
    retry_condition_fn=_may_succeed_later,
)
def stage(node: StageNode, root: Path, force: bool = False, gpu: str | None = None) -> State[Any]:
    """Bring one stage up to date; the name of the final state says how.

    Args:
        node: the stage.
        root: the clone's folder.
        force: run it even if it is up to date; not on an agent, where equal inputs give the same result.
        gpu: the deployment that gets stages of the gpu pool; None runs them here.
    """
    logger = get_run_logger()
    agent = gpu if node.pool == AGENT_POOL else None
    reasons = ["forced"] if force and not agent else reasons_to_run(root, node.name)
    if not reasons:
        logger.info("%s: up to date, nothing to do", node.name)
        return Completed(name=Outcome.CACHED.value, message="up to date")
    why = "; ".join(reasons[:_REASONS_SHOWN])
    if len(reasons) > _REASONS_SHOWN:
        why += f"; and {len(reasons) - _REASONS_SHOWN} more"
    logger.info("%s: out of date: %s", node.name, why)
    if agent:
        outcome = run_on_agent(node.name, root, agent, lambda line: logger.info("%s", line))
    else:
        outcome = _run_here(node, root, force)
    return Completed(name=outcome.value, message=why)


def _run_here(node: StageNode, root: Path, force: bool) -> Outcome:
    logger = get_run_logger()
    watch = progress_watcher(node.name) if node.pool else None

    def show(line: str) -> None:
        logger.info("%s", line)
        if watch:
            watch(line)

    with _HERE:
        outcome = repro(node.name, root, show, force=force)
    refuse_unstored(node.name, root)
    return outcome
