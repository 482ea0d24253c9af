"""`make server`: a Prefect server on loopback, work pools, a worker for each, the deployments; Ctrl-C ends them all."""

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

from flows.surroundings import HOST, PORT
from tasks.process import die_with_parent

ROOT = Path(__file__).resolve().parents[1]
POOLS = ("cpu", "gpu")
_START_SECONDS = 180
_STOP_SECONDS = 30


class ServerError(Exception):
    """Something did not start; the message says what to do."""


def serve(port: int) -> None:
    """Start everything, then wait until a part ends or a signal comes, and stop all of it.

    Raises:
        ServerError: the port is taken, or a part did not start or ended by itself.
    """
    api = f"http://{HOST}:{port}/api"
    if _healthy(api):
        raise ServerError(
            f"a Prefect server answers on port {port} already: end it, or take another: make server PORT=4300"
        )
    environment = {
        **os.environ,
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "DETECTION_PIPELINE_ROOT": str(ROOT),
    }
    parts: dict[str, subprocess.Popen[bytes]] = {}
    try:
        parts["server"] = _start(["server", "start", "--host", HOST, "--port", str(port)], environment)
        _wait_until_healthy(api, parts["server"])
        for pool in POOLS:
            _run(["work-pool", "create", pool, "--type", "process", "--overwrite"], environment)
        _run(["--no-prompt", "deploy", "--all"], environment)
        for pool in POOLS:
            parts[f"worker of {pool}"] = _start(["worker", "start", "--pool", pool, "--name", f"{pool}-1"], environment)
        print(_ready(port), flush=True)
        _wait(parts)
    finally:
        _stop(parts)


def _ready(port: int) -> str:
    # pyproject.toml says the usual address, [tool.prefect].
    address = "" if port == PORT else f"  export PREFECT_API_URL=http://{HOST}:{port}/api\n"
    return (
        f"\nReady. The pages: http://{HOST}:{port}\n"
        "In another shell, from this folder:\n"
        f"{address}"
        "  .venv/bin/prefect deployment run pipeline/local --watch\n"
        "Ctrl-C here ends the server and its workers.\n"
    )


def _start(arguments: Sequence[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    # A session of its own: Ctrl-C reaches this process alone, which then ends the parts in order.
    return subprocess.Popen(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - killed, this process must not leave a server behind
    )


def _run(arguments: Sequence[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"prefect {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _healthy(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=2) as answer:  # noqa: S310 - http on loopback
            return bool(answer.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _wait_until_healthy(api: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while not _healthy(api):
        if server.poll() is not None or time.monotonic() > end:
            raise ServerError("the Prefect server did not start; its own messages stand above")
        time.sleep(0.5)


def _wait(parts: dict[str, "subprocess.Popen[bytes]"]) -> None:
    while True:
        for name, process in parts.items():
            if process.poll() is not None:
                raise ServerError(
                    f"the {name} ended by itself (exit code {process.returncode}); see its messages above"
                )
        time.sleep(0.5)


def _stop(parts: dict[str, "subprocess.Popen[bytes]"]) -> None:
    """Workers first, so that they can tell the server; whoever does not end in time is killed."""
    for process in reversed(parts.values()):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """The command line; 0 after Ctrl-C, 1 when something did not start."""
    parser = argparse.ArgumentParser(prog="make server", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    port = parser.parse_args().port
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # SIGINT too: a shell lets background processes ignore it
    try:
        serve(port)
    except KeyboardInterrupt:
        print("\nended")
        return 0
    except ServerError as error:
        print(f"make server: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
