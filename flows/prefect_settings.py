"""The Prefect server that a flow started by hand reports to: the one it is told of, `make server`'s, or one of its own.

Prefect reads these variables when it is imported, so this module must do its work before that.
"""

import atexit
import http
import os
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from flows.prefect_process import PrefectProcess
from flows.server_access import Access, is_healthy, lets_in, new_password, read_access

ROOT = Path(__file__).resolve().parents[1]
# Where `make server` listens by default; pyproject.toml, [tool.prefect], has the same for the command line.
HOST, PORT = "127.0.0.1", 4200
START_SECONDS = 180
_AT_EXIT = ExitStack()
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OwnServer:
    """A server for as long as this process lives, which is longer than a flow: at the end its last logs are sent.

    Attributes:
        access: its address and password, which are in the variables, too.
    """

    def __init__(self) -> None:
        """Bind its socket, so that nobody else takes the port; nothing is started."""
        self._listener = socket.create_server((HOST, 0))
        self.access = Access(f"http://{HOST}:{self._listener.getsockname()[1]}/api", new_password())

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            SystemExit: it did not start; its messages say why.
        """
        environment = {**os.environ, "PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1"}
        process = start_server(self._listener, environment, self.access, ["--log-level", "error"])
        _AT_EXIT.callback(process.stop)
        if not wait_until_healthy(self.access.api, process):
            raise SystemExit("the temporary Prefect server did not start; its messages are above")


def prepare(*, may_run_without_server: bool) -> OwnServer | None:
    """Set the variables that Prefect reads when it is imported; a temporary server to be started by `start_or_check`.

    There is one where `may_run_without_server`, PREFECT_API_URL names no server, and `make server` runs none for this
    clone.
    """
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.update(direct_loopback(os.environ))
    if not may_run_without_server or os.environ.get("PREFECT_API_URL"):
        return None
    known = make_server_access()
    if lets_in(known):
        os.environ.update(known.variables())
        return None
    own = OwnServer()
    # Empty: this server has no pages, so Prefect shall print no address of one.
    os.environ.update(own.access.variables(), PREFECT_UI_URL="")
    # Before Prefect registers what it does at the end, and so done after that.
    atexit.register(_AT_EXIT.close)
    return own


def make_server_access() -> Access:
    """Where `make server` of this clone is, whether it runs or not."""
    return read_access(ROOT) or Access(f"http://{HOST}:{PORT}/api", os.environ.get("PREFECT_API_AUTH_STRING", ""))


def start_or_check(own: OwnServer | None) -> None:
    """Start the temporary server; without one, see that the server that is named answers.

    Raises:
        SystemExit: no server answers, or it takes another password; the message says what to do.
    """
    if own:
        own.start()
    else:
        _check_named_server()


def start_server(
    listener: socket.socket, environment: Mapping[str, str], access: Access, options: list[str]
) -> PrefectProcess:
    """A guarded server (`flows.guarded_server`, with `options`) that takes over `listener` and asks for a password."""
    process = PrefectProcess(
        "server",
        ["flows.guarded_server", "--fd", str(listener.fileno()), *options],
        ROOT,
        {**environment, "PREFECT_SERVER_API_AUTH_STRING": access.auth},
        restart=False,
        descriptors=[listener.fileno()],
    )
    # Else whoever asks when the server has ended would wait for an answer.
    listener.close()
    return process


def wait_until_healthy(api: str, server: PrefectProcess) -> bool:
    """Whether the server answers before it ends and before three minutes have passed."""
    end = time.monotonic() + START_SECONDS
    while not is_healthy(api):
        if server.ended or time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def direct_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep a proxy of the environment from being asked for what is on this machine."""
    named = ",".join(filter(None, (environment.get("NO_PROXY"), environment.get("no_proxy"), *_LOOPBACK)))
    return {"NO_PROXY": named, "no_proxy": named}


def _check_named_server() -> None:
    # After `prepare`: Prefect reads its settings when it is imported.
    import httpx  # noqa: PLC0415
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings  # noqa: PLC0415

    api = os.environ["PREFECT_API_URL"]
    try:
        with (
            temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client(httpx_settings={"timeout": 10}, sync_client=True) as client,
        ):
            client.api_version()
    except httpx.HTTPStatusError as error:
        raise SystemExit(_refusal(api, error.response.status_code)) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SystemExit(
            f"no Prefect server answers at {api} ({error or type(error).__name__}): start it (`make server`), or name "
            "another in PREFECT_API_URL; without that variable, flows that are started by hand bring their own"
        ) from None


def _refusal(api: str, status: int) -> str:
    if status not in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        return f"{api} is no Prefect API, for it answered {status}: mend PREFECT_API_URL, or unset it"
    return (
        f"the Prefect server at {api} wants another password: export PREFECT_API_AUTH_STRING=NAME:PASSWORD; what "
        "`make server` chose stands in prefect.toml of its clone"
    )
