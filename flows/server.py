"""`make server`: a Prefect server, work pools, a worker for each, the deployments; Ctrl-C stops them all."""

import argparse
import http
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from flows.agent_clone import CloneError, make_clone
from flows.prefect_process import PrefectProcess, ProcessError
from flows.prefect_settings import HOST, PORT

ROOT = Path(__file__).resolve().parents[1]
POOLS = ("cpu", "gpu")
# The folder of the gpu worker's clone by default.
AGENT_CLONE = ROOT / ".agent"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
AUTOMATION = "mark lost runs as crashed"
_START_SECONDS = 180


class ServerError(Exception):
    """Something did not start; the message says what to do."""


def serve(host: str, port: int, agent_clone: Path) -> None:
    """Start everything, wait until the server ends or a signal comes, then stop everything.

    A worker that ends by itself is restarted.

    Args:
        host: the address the server listens on.
        port: its port.
        agent_clone: the folder of the gpu worker's clone; made if missing.

    Raises:
        ServerError: the port is taken, something did not start, or others could reach the server without a password.
        CloneError: the agent's clone could not be made.
        ProcessError: the server ended by itself, or a worker did, again and again.
    """
    api = f"http://{HOST if host == '0.0.0.0' else host}:{port}/api"  # noqa: S104 - asked of the user, not chosen here
    environment = _environment(host, api)
    if _healthy(api):
        raise ServerError(
            f"a Prefect server answers on port {port} already: stop it, or choose another port: make server PORT=4300"
        )
    processes: list[PrefectProcess] = []
    try:
        processes.append(
            PrefectProcess(
                "server", ["server", "start", "--host", host, "--port", str(port)], ROOT, environment, restart=False
            )
        )
        make_clone(ROOT, agent_clone)
        _wait_until_healthy(api, processes[0])
        _register(environment)
        processes += [_worker("cpu", ROOT, environment), _worker("gpu", agent_clone, environment)]
        print(_ready_message(api, agent_clone), flush=True)
        while True:
            for process in processes:
                process.restart_if_ended()
            time.sleep(0.5)
    finally:
        # Workers first, so that they can sign off at the server.
        for process in reversed(processes):
            process.stop()


def _worker(pool: str, clone: Path, environment: dict[str, str]) -> PrefectProcess:
    # An agent runs one training at a time.
    limit = "1" if pool == "gpu" else "4"
    arguments = ["worker", "start", "--pool", pool, "--name", f"{pool}-1", "--limit", limit]
    return PrefectProcess(
        f"worker of {pool}", arguments, ROOT, {**environment, "DETECTION_PIPELINE_ROOT": str(clone)}, restart=True
    )


def _environment(host: str, api: str) -> dict[str, str]:
    """The variables of the server, its workers and our own calls of `prefect`.

    Raises:
        ServerError: the server would be reachable from elsewhere without a password.
    """
    password = os.environ.get("PREFECT_SERVER_API_AUTH_STRING", "")
    if host not in _LOOPBACK and ":" not in password:
        raise ServerError(
            f"{host} can be reached from other machines, and whoever reaches the server can run code on its workers: "
            "set PREFECT_SERVER_API_AUTH_STRING=NAME:PASSWORD first (docs/operations.md)"
        )
    environment = {
        **os.environ,
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    if password:
        environment["PREFECT_API_AUTH_STRING"] = password
    return environment


def _register(environment: dict[str, str]) -> None:
    for pool in POOLS:
        _run(["work-pool", "create", pool, "--type", "process", "--overwrite"], environment)
    _run(["--no-prompt", "deploy", "--all"], environment)
    if not _succeeds(["automation", "inspect", AUTOMATION], environment):
        _run(["automation", "create", "--from-file", "flows/lost_runs.yaml"], environment)


def _ready_message(api: str, agent_clone: Path) -> str:
    # pyproject.toml, [tool.prefect], holds the default address.
    address = "" if api == f"http://{HOST}:{PORT}/api" else f"  export PREFECT_API_URL={api}\n"
    return (
        f"\nReady. The pages: {api.removesuffix('/api')}\n"
        "In another shell, from this folder:\n"
        f"{address}"
        "  .venv/bin/prefect deployment run pipeline/local --watch\n"
        f"To train in the agent's clone, {agent_clone}: add  --param gpu=train-stage/gpu\n"
        "Ctrl-C here stops the server and its workers.\n"
    )


def _run(arguments: Sequence[str], environment: dict[str, str]) -> None:
    done = _prefect(arguments, environment)
    if done.returncode:
        raise ServerError(f"prefect {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _succeeds(arguments: Sequence[str], environment: dict[str, str]) -> bool:
    return _prefect(arguments, environment).returncode == 0


def _prefect(arguments: Sequence[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _healthy(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=2) as answer:  # noqa: S310 - http on loopback
            return bool(answer.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _wait_until_healthy(api: str, server: PrefectProcess) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _healthy(api):
        if server.ended or time.monotonic() > end:
            raise ServerError("the Prefect server did not start; see its messages above")
        time.sleep(0.5)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """The command line; 0 after Ctrl-C, 1 when something did not start or ended by itself."""
    parser = argparse.ArgumentParser(prog="make server", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--host", default=HOST, help="the address to listen on; other than loopback needs a password")
    parser.add_argument("--agent-clone", type=Path, default=AGENT_CLONE, help="the clone that the gpu worker works in")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # SIGINT too: a shell lets background processes ignore it
    try:
        serve(args.host, args.port, args.agent_clone.resolve())
    except KeyboardInterrupt:
        print("\nstopped")
        return 0
    except (ServerError, CloneError, ProcessError) as error:
        print(f"make server: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
