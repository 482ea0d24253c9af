"""The flow `train-stage`: one stage, brought up to date in this clone for a run of `pipeline` in another one."""

from pathlib import Path
from typing import Any

from prefect import State, flow, get_run_logger
from prefect.states import Completed, Failed

from flows.agents import INTERRUPTED
from flows.child import StageInterruptedError, repro
from flows.clone import held
from flows.publish import progress_watcher
from flows.remote import Request, push_result, take


@flow(name="train-stage")
def train_stage(request: Request, root: str | None = None) -> State[Any]:
    """Check out what `request` names, pull its inputs, run its stage, push its result.

    A result that DVC's cache or remote has already is not made again.

    Args:
        request: made by the run that asks for it.
        root: the clone to work in; the one this file is in when not given.
    """
    folder = Path(root) if root else Path(__file__).resolve().parents[1]
    logger = get_run_logger()
    watch = progress_watcher(request.stage)

    def show(line: str) -> None:
        logger.info("%s", line)
        watch(line)

    try:
        with held(folder, show):
            logger.info("%s at commit %s, in %s", request.stage, request.revision[:12], folder)
            take(folder, request, show)
            outcome = repro(request.stage, folder, show, pull=True)
            push_result(folder, request, show)
    except StageInterruptedError as error:
        return Failed(name=INTERRUPTED, message=str(error))
    return Completed(name=outcome.value, message=f"{request.stage} in {folder}")
