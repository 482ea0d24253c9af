"""What a Prefect server must know of this project: `python -m flows.register`, as `make server` does it by itself.

Needs PREFECT_API_URL, and PREFECT_API_AUTH_STRING where the server asks for a password.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from flows.prefect_settings import ROOT, direct_loopback

POOLS = ("cpu", "gpu")
AUTOMATION = "mark lost runs as crashed"


class RegisterError(Exception):
    """The server refused a pool, a deployment or the automation; the message holds what Prefect said."""


def register(environment: Mapping[str, str]) -> None:
    """Register the pools, the deployments, and what becomes of lost runs; once more changes nothing.

    Args:
        environment: of the calls of `prefect`; it names the server.

    Raises:
        RegisterError: one of them failed.
    """
    for pool in POOLS:
        _run(["work-pool", "create", pool, "--type", "process", "--overwrite"], environment)
    _run(["--no-prompt", "deploy", "--all"], environment)
    if _prefect(["automation", "inspect", AUTOMATION], environment).returncode:
        _run(["automation", "create", "--from-file", "flows/lost_runs.yaml"], environment)


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    done = _prefect(arguments, environment)
    if done.returncode:
        raise RegisterError(f"prefect {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _prefect(arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    """Register at the server that PREFECT_API_URL names."""
    if not os.environ.get("PREFECT_API_URL"):
        sys.exit("register: set PREFECT_API_URL to the server's address, such as http://127.0.0.1:4200/api")
    try:
        register({**os.environ, **direct_loopback(os.environ)})
    except RegisterError as error:
        sys.exit(f"register: {error}")
    print(f"register: {os.environ['PREFECT_API_URL']} knows the pools, the deployments and the automation")


if __name__ == "__main__":
    main()
