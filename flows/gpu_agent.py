"""The flow `train-stage`: bring one stage up to date in this clone, for a run of `pipeline` in another clone."""

from pathlib import Path
from typing import Any

from prefect import State, flow, get_run_logger
from prefect.states import Completed, Failed

from flows.agents import INTERRUPTED
from flows.child import StageInterruptedError, repro
from flows.clone_lock import clone_lock
from flows.publish import progress_watcher
from flows.remote import Request, apply_request, push_result


@flow(name="train-stage")
def train_stage(request: Request, root: str | None = None) -> State[Any]:
    """Check out the commit in `request`, pull the inputs, run the stage, push the result.

    A result that is in DVC's cache or remote is not made again.

    Args:
        request: from the run that sends the stage.
        root: the clone to work in; the one this file is in when not given.
    """
    folder = Path(root) if root else Path(__file__).resolve().parents[1]
    logger = get_run_logger()
    watch = progress_watcher(request.stage)

    def show(line: str) -> None:
        logger.info("%s", line)
        watch(line)

    try:
        with clone_lock(folder, show):
            logger.info("%s at commit %s, in %s", request.stage, request.revision[:12], folder)
            apply_request(folder, request, show)
            outcome = repro(request.stage, folder, show, pull=True)
            push_result(folder, request, show)
    except StageInterruptedError as error:
        return Failed(name=INTERRUPTED, message=str(error))
    return Completed(name=outcome.value, message=f"{request.stage} in {folder}")
