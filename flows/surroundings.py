"""What Prefect must find in the environment before it is imported."""

import os
import socket
from urllib.parse import urlsplit

_SERVER = "http://127.0.0.1:4200/api"


def prepare(*, may_run_without_server: bool) -> None:
    """No telemetry; and, where a server is not needed and none answers, a temporary one with time to start.

    pyproject.toml names the address of `make server`; an empty PREFECT_API_URL takes that back for this process.
    """
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    if may_run_without_server and "PREFECT_API_URL" not in os.environ and not _answers(_SERVER):
        os.environ["PREFECT_API_URL"] = ""


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1):
            return True
    except OSError:
        return False
