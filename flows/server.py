"""`make server`: a Prefect server, work pools, a worker for each, the deployments; Ctrl-C stops them all."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from flows.agent_clone import CloneError, make_clone
from flows.guarded_server import LOOPBACK, OPEN_PATH
from flows.prefect_process import PrefectProcess, ProcessError
from flows.prefect_settings import HOST, PORT, ROOT, direct_loopback, start_server, wait_until_healthy
from flows.server_access import (
    Access,
    AccessError,
    is_healthy,
    new_password,
    read_access,
    remove_access,
    write_access,
)
from tasks.ground.ports import port_number

# The folder of the gpu worker's clone by default.
AGENT_CLONE = ROOT / ".agent"
# Addresses that stand for every one of this machine's.
_ALL = ("0.0.0.0", "::")  # noqa: S104 - asked of the user, not chosen here


class ServerError(Exception):
    """Something did not start; the message says what to do."""


def serve(host: str, port: int, names: Sequence[str], agent_clone: Path) -> None:
    """Start everything, wait until the server ends or a signal comes, then stop everything.

    A worker that ends by itself is restarted. The server's password is random, unless PREFECT_SERVER_API_AUTH_STRING is
    set, and is in the clone's prefect.toml meanwhile.

    Args:
        host: the address the server listens on.
        port: its port.
        names: more hosts that it may be asked as.
        agent_clone: the folder of the gpu worker's clone; made if missing.

    Raises:
        ServerError: the port is taken, something did not start, or others could reach the server without a password.
        AccessError: the password cannot be kept in prefect.toml.
        CloneError: the agent's clone could not be made.
        ProcessError: the server ended by itself, or a worker did, again and again.
    """
    own_password = _password(host)
    access = Access(f"http://{_asked_as(host)}:{port}/api", own_password or new_password())
    with _listen(host, port) as listener:
        if own_password:
            _run_all(host, listener, names, access, agent_clone, "")
            return
        running = read_access(ROOT)
        if running and is_healthy(running.api):
            raise ServerError(f"the Prefect server of {ROOT} runs already, at {running.api}: stop it first")
        write_access(ROOT, access)
        try:
            _run_all(host, listener, names, access, agent_clone, access.auth)
        finally:
            remove_access(ROOT, access)


def _run_all(
    host: str, listener: socket.socket, names: Sequence[str], access: Access, agent_clone: Path, shown: str
) -> None:
    """Run server and workers; `shown` is the password that may be printed, or nothing."""
    environment = _environment(access)
    options = [*(option for name in names for option in ("--name", name)), *_options_for(host)]
    processes: list[PrefectProcess] = []
    try:
        processes.append(start_server(listener, environment, access, options))
        make_clone(ROOT, agent_clone)
        if not wait_until_healthy(access.api, processes[0]):
            raise ServerError("the Prefect server did not start; see its messages above")
        _register(environment)
        processes += [_worker("cpu", ROOT, environment), _worker("gpu", agent_clone, environment)]
        print(_ready_message(access.api, agent_clone, shown), flush=True)
        while True:
            for process in processes:
                process.restart_if_ended()
            time.sleep(0.5)
    finally:
        # Workers first, so that they can sign off at the server.
        for process in reversed(processes):
            process.stop()


def _listen(host: str, port: int) -> socket.socket:
    """A socket that is bound before anything else happens.

    Raises:
        ServerError: the port is taken, or is not of this machine.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ServerError(
            f"cannot listen on port {port} of {host} ({error.strerror or error}): stop what does, or choose another "
            f"port: make server PORT={port + 100}"
        ) from error


def _asked_as(host: str) -> str:
    """The host as it stands in an address; one of this machine's where the server listens on all."""
    if host in _ALL:
        return HOST
    return f"[{host}]" if ":" in host else host


def _options_for(host: str) -> list[str]:
    if host in LOOPBACK:
        return []
    own = {host, socket.gethostname(), socket.getfqdn()} - set(_ALL)
    return ["--any-address", *(option for name in sorted(own) for option in ("--name", name))]


def _worker(pool: str, clone: Path, environment: dict[str, str]) -> PrefectProcess:
    # An agent runs one training at a time.
    limit = "1" if pool == "gpu" else "4"
    module = ["prefect", "worker", "start", "--pool", pool, "--name", f"{pool}-1", "--limit", limit]
    return PrefectProcess(
        f"worker of {pool}", module, ROOT, {**environment, "DETECTION_PIPELINE_ROOT": str(clone)}, restart=True
    )


def _password(host: str) -> str:
    """The password that the user chose; empty where there is none.

    Raises:
        ServerError: the server would be reachable from elsewhere without one, or it is not NAME:PASSWORD.
    """
    password = os.environ.get("PREFECT_SERVER_API_AUTH_STRING", "")
    if host not in LOOPBACK and ":" not in password:
        raise ServerError(
            f"{host} can be reached from other machines, and whoever reaches the server can run code on its workers: "
            "set PREFECT_SERVER_API_AUTH_STRING=NAME:PASSWORD first (docs/operations.md)"
        )
    return password


def _environment(access: Access) -> dict[str, str]:
    """The variables of the server, its workers and our own calls of `prefect`."""
    return {
        **os.environ,
        **direct_loopback(os.environ),
        **access.variables(),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _register(environment: dict[str, str]) -> None:
    # In a process of its own: it uses Prefect, which reads its settings when it is imported.
    done = subprocess.run(
        [sys.executable, "-m", "flows.register"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerError(done.stderr.strip())


def _ready_message(api: str, agent_clone: Path, password: str) -> str:
    pages = api.removesuffix("/api")
    # A log is read by others than a terminal is.
    is_terminal = sys.stdout.isatty()
    if password and is_terminal:
        pages += f"{OPEN_PATH}#{quote(password)}"
    elsewhere = "prefect.toml" if password else "PREFECT_SERVER_API_AUTH_STRING"
    asked = "" if password and is_terminal else f"They ask for the password in {elsewhere}.\n"
    # What was exported there comes before prefect.toml and pyproject.toml.
    own = f"  export PREFECT_API_AUTH_STRING=...  # as in {elsewhere}\n" if not password else ""
    if not password and api != f"http://{HOST}:{PORT}/api":
        own += f"  export PREFECT_API_URL={api}\n"
    return (
        f"\nReady. The pages: {pages}\n{asked}"
        f"In another shell, from this folder:\n{own}"
        "  .venv/bin/prefect deployment run pipeline/local --watch\n"
        f"To train in the agent's clone, {agent_clone}: add  --param gpu=train-stage/gpu\n"
        "Does a stage fail that should not?  .venv/bin/python -m tasks doctor\n"
        "Ctrl-C here stops the server and its workers.\n"
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """The command line; 0 after Ctrl-C, 1 when something did not start or ended by itself."""
    parser = argparse.ArgumentParser(prog="make server", description=__doc__)
    parser.add_argument("--port", type=port_number, default=PORT)
    parser.add_argument("--host", default=HOST, help="the address to listen on; other than loopback needs a password")
    parser.add_argument("--name", action="append", default=[], help="one more name that this machine is reached by")
    parser.add_argument("--agent-clone", type=Path, default=AGENT_CLONE, help="the clone that the gpu worker works in")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # SIGINT too: a shell lets background processes ignore it
    try:
        serve(args.host, args.port, args.name, args.agent_clone.resolve())
    except KeyboardInterrupt:
        print("\nstopped")
        return 0
    except (ServerError, AccessError, CloneError, ProcessError) as error:
        print(f"make server: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
