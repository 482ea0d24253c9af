"""A message when a run has ended, to the address in DETECTION_PIPELINE_NOTIFY.

The variable holds an Apprise address, such as `slack://...`, `mailto://...` or `json://host/path`. Set it where the
worker starts.
"""

import os
from typing import Any

import apprise
from prefect import State, get_run_logger
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import MissingContextError
from prefect.flows import Flow
from prefect.logging import get_logger

from flows.folder_summary import UNLIKE

VARIABLE = "DETECTION_PIPELINE_NOTIFY"
_LONGEST = 1500


def notify(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook: send how a run ended; a message that cannot be sent is a warning in the log and nothing else."""
    address = os.environ.get(VARIABLE)
    if not address:
        return
    message = apprise.Apprise()
    sent = message.add(address) and message.notify(
        title=f"{flow.name} {flow_run.name}: {state.name}", body=(state.message or "see its log")[:_LONGEST]
    )
    if not sent:
        # The address holds passwords: it is not logged.
        _logger().warning(
            "no message was sent: the address in %s is not one that Apprise knows, or did not answer", VARIABLE
        )


def notify_if_unlike(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook: of a run over a folder that ended well, send that its photos are unlike the training photos."""
    if UNLIKE in (state.message or ""):
        notify(flow, flow_run, state)


def _logger() -> Any:
    try:
        return get_run_logger()
    except MissingContextError:  # a worker runs hooks of a process that is gone
        return get_logger("flows.notify")
