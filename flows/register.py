"""What a Prefect server must know of this project: `python -m flows.register`, which `make server` runs by itself.

The server is the one that Prefect's own settings name: PREFECT_API_URL, a profile, or this folder's files.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flows.prefect_settings import ROOT, direct_loopback

POOLS = ("cpu", "gpu")
AUTOMATION = "mark lost runs as crashed"


class RegisterError(Exception):
    """The server refused a pool, a deployment or the automation; the message holds what Prefect said."""


def register() -> None:
    """Register what is missing, and the deployments as they are now.

    What the user has set stays: limits and pauses of pools, which schedules are on, and parameters of deployments, such
    as the folder of predict-folder.

    Raises:
        RegisterError: one of them failed.
    """
    with _settings_kept():
        for pool in POOLS:
            if _prefect("work-pool", "inspect", pool).returncode:
                _run("work-pool", "create", pool, "--type", "process")
        _run("--no-prompt", "deploy", "--all")
    if _prefect("automation", "inspect", AUTOMATION).returncode:
        _run("automation", "create", "--from-file", "flows/lost_runs.yaml")


@contextmanager
def _settings_kept() -> Iterator[None]:
    """`prefect deploy` replaces schedules, which are off in prefect.yaml, and parameters: set again what was set."""
    # Prefect reads its settings when it is imported.
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        schedules = {key: schedule for key, (_, schedule) in _schedules(client).items()}
        parameters = {deployment.id: deployment.parameters for deployment in client.read_deployments()}
    yield
    with get_client(sync_client=True) as client:
        for key, (deployment, schedule) in _schedules(client).items():
            before = schedules.get(key)
            if before and (before.active, before.parameters) != (schedule.active, schedule.parameters):
                client.update_deployment_schedule(
                    deployment.id, schedule.id, active=before.active, parameters=before.parameters
                )
        for deployment in client.read_deployments():
            _set_parameters(client, deployment, parameters.get(deployment.id, {}))


def _set_parameters(client: Any, deployment: Any, before: Mapping[str, Any]) -> None:
    """Set those of `before` that the flow still has."""
    from prefect.client.schemas.actions import DeploymentUpdate  # noqa: PLC0415 - as above

    known = deployment.parameter_openapi_schema.get("properties", {})
    wanted = {**deployment.parameters, **{key: value for key, value in before.items() if key in known}}
    if wanted != deployment.parameters:
        client.update_deployment(deployment.id, DeploymentUpdate(parameters=wanted))


def _schedules(client: Any) -> dict[tuple[Any, str], tuple[Any, Any]]:
    """Each deployment with each of its schedules, by what stays when it is deployed again."""
    return {
        (deployment.id, schedule.schedule.model_dump_json(exclude={"anchor_date"})): (deployment, schedule)
        for deployment in client.read_deployments()
        for schedule in deployment.schedules
    }


def _run(*arguments: str) -> None:
    done = _prefect(*arguments)
    if done.returncode:
        raise RegisterError(f"prefect {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _prefect(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    """Register at the server that Prefect's settings name."""
    os.chdir(ROOT)
    os.environ.update(direct_loopback(os.environ))
    import httpx  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    address = get_current_settings().api.url
    try:
        register()
    except RegisterError as error:
        sys.exit(f"register: {error}")
    except (httpx.HTTPError, ValueError) as error:
        sys.exit(f"register: {address}: {error or type(error).__name__}: is the server there, and the password right?")
    print(f"register: {address} knows {json.dumps(POOLS)[1:-1]}, the deployments and the automation")


if __name__ == "__main__":
    main()
