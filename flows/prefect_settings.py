"""The variables that Prefect reads when it is imported."""

import os
import socket
from contextlib import AbstractContextManager, nullcontext
from typing import Any

# Where `make server` listens by default; pyproject.toml, [tool.prefect], has the same for the command line.
HOST, PORT = "127.0.0.1", 4200


def prepare(*, may_run_without_server: bool) -> None:
    """Switch telemetry off; where a server is not needed and none answers, choose a temporary one with time to start.

    pyproject.toml names the address of `make server`; an empty PREFECT_API_URL overrides it for this process.
    """
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    if may_run_without_server and "PREFECT_API_URL" not in os.environ and not _answers(HOST, PORT):
        os.environ["PREFECT_API_URL"] = ""


def own_server() -> AbstractContextManager[Any]:
    """A context in which the temporary server is used where `prepare` found none: an empty address is not enough.

    Prefect treats an empty PREFECT_API_URL as missing when it starts a server, but as an address when it sends events.
    """
    # After `prepare`: Prefect reads its settings when it is imported.
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

    if os.environ.get("PREFECT_API_URL") == "":
        return temporary_settings({PREFECT_API_URL: None})
    return nullcontext()


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
