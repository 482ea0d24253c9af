"""How a stage is sent to an agent: its inputs go out, its result comes back, and nothing of it runs here."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect import State
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId, FlowRunFilterState
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.flows import Flow
from prefect.states import Cancelling

from flows.child import Log, Outcome, StageFailedError, StageInterruptedError, restore, stopping
from flows.remote import RemoteError, Request, differences, inputs_of, push_inputs, request_for

# The state in which an agent's run ends when trying again may help.
INTERRUPTED = "Interrupted"
_POLL_SECONDS = 2
_HINT_AFTER_SECONDS = 60
_SERVER_GONE_SECONDS = 300


def run_on_agent(name: str, root: Path, deployment: str, log: Log) -> Outcome:
    """Have `deployment` bring the stage `name` up to date in another clone, and fetch the result into this one.

    Raises:
        StageFailedError: it failed there, or its result does not fit the inputs here; a `StageInterruptedError` where
            trying again may help.
        RemoteError: it cannot be sent.
        PipelineError: git failed.
    """
    # First, because a look-up that finds nothing removes the outputs in this clone.
    request = request_for(root, name)
    outcome = restore(name, root, log)
    if outcome:
        return outcome
    push_inputs(root, request, log)
    _wait_for(_submit(deployment, request), deployment, log)
    outcome = restore(name, root, log)
    if outcome:
        return outcome
    changed = differences(request.inputs, inputs_of(root, name))
    raise StageFailedError(
        f"{name}: {deployment} ended well, but its result does not belong to the current inputs here: "
        + ("; ".join(changed) or "params or dvc.yaml changed meanwhile, or the two clones do not share one DVC remote")
        + ". It was not run here instead; start the flow again"
    )


def cancel_agents(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook: cancel what the cancelled run had sent to agents, too."""
    unfinished = FlowRunFilterState.model_validate(
        {"type": {"any_": [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED]}}
    )
    with get_client(sync_client=True) as client:
        sent = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[flow_run.id]), state=unfinished
            )
        )
        for child in sent:
            client.set_flow_run_state(child.id, Cancelling(message=f"{flow_run.name} was cancelled"))


def _submit(deployment: str, request: Request) -> UUID:
    try:
        run = run_deployment(
            deployment, parameters={"request": asdict(request)}, timeout=0, flow_run_name=request.stage
        )
    except ObjectNotFound:
        raise RemoteError(
            f"{deployment}: no such deployment on this server; `make server` makes train-stage/gpu, "
            "and a server of your own gets it by `prefect deploy --all`"
        ) from None
    return UUID(str(getattr(run, "id")))  # noqa: B009 - typed as if it might be awaited


def _wait_for(run_id: UUID, deployment: str, log: Log) -> None:
    """Wait until a run has ended.

    Raises:
        StageFailedError: it did not end well; a `StageInterruptedError` where trying again may help.
    """
    with get_client(sync_client=True) as client:
        state = _final_state(_patient_reader(client), run_id, deployment, log)
    if state.is_completed():
        return
    message = f"{deployment} ended {state.name}: {state.message or 'its own log says why'}"
    if state.is_crashed() or state.name == INTERRUPTED:
        raise StageInterruptedError(message)
    raise StageFailedError(message)


def _final_state(read: Callable[[UUID], FlowRun], run_id: UUID, deployment: str, log: Log) -> State[Any]:
    start = time.monotonic()
    logged, hinted = "", False
    while True:
        run = read(run_id)
        state = run.state
        if state and state.name != logged:
            logged = state.name or ""
            log(f"{deployment}, run {run.name}: {logged}")
        if state and state.is_final():
            return state
        waiting = state is None or state.is_scheduled() or state.is_pending()
        if waiting and not hinted and time.monotonic() - start > _HINT_AFTER_SECONDS:
            hinted = True
            log("no agent has started it yet: all are busy, or there is none; `make agent` starts one in another clone")
        if stopping.wait(_POLL_SECONDS):
            raise StageFailedError(f"{deployment}: this run was stopped while it waited for run {run.name}")


def _patient_reader(client: SyncPrefectClient) -> Callable[[UUID], FlowRun]:
    """A function that reads a run and waits while the server restarts."""

    def read(run_id: UUID) -> FlowRun:
        end = time.monotonic() + _SERVER_GONE_SECONDS
        while True:
            try:
                return client.read_flow_run(run_id)
            except httpx.TransportError:
                if time.monotonic() > end:
                    raise
                time.sleep(_POLL_SECONDS)

    return read
