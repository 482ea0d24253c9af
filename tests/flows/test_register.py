"""What `make server` registers, on a real server of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.prefect_settings import _AT_EXIT, ROOT, OwnServer
from tests.ports import free_ports

# What a user does on the pages, and what there is then.
CHANGE = """
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolUpdate
with get_client(sync_client=True) as client:
    client.update_work_pool("gpu", WorkPoolUpdate(is_paused=True, concurrency_limit=1))
    for deployment in client.read_deployments():
        if "folder" in deployment.parameter_openapi_schema["properties"]:
            parameters = {"folder": "/srv/photos", "draw": True}
            client.update_deployment(deployment.id, DeploymentUpdate(parameters=parameters))
        for schedule in deployment.schedules:
            client.update_deployment_schedule(deployment.id, schedule.id, active=True)
"""
STATE = """
import json
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    pools = {pool.name: [pool.is_paused, pool.concurrency_limit] for pool in client.read_work_pools()}
    deployments = client.read_deployments()
    print(json.dumps({
        "pools": pools,
        "deployments": sorted(deployment.name for deployment in deployments),
        "schedules": [schedule.active for deployment in deployments for schedule in deployment.schedules],
        "parameters": {
            "photos": deployment.parameters
            for deployment in deployments
            if "folder" in deployment.parameter_openapi_schema["properties"]
        },
        "automations": [automation.name for automation in client.read_automations()],
    }))
"""


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Runs Python, beside a server that has a database of its own."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    server = OwnServer()
    server.start()
    environment = {**os.environ, **server.access.variables()}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    _AT_EXIT.close()


@pytest.mark.slow
def test_once_more_registers_what_is_missing_and_leaves_what_the_user_has_set(python: Callable[..., str]) -> None:
    assert "knows" in python("-m", "flows.register")
    first = json.loads(python("-c", STATE))
    assert first == {
        "pools": {"cpu": [False, None], "gpu": [False, None]},
        "deployments": ["gpu", "local", "local", "local", "local", "local"],
        "schedules": [False, False],
        "parameters": {"photos": {}},
        "automations": ["mark lost runs as crashed"],
    }

    python("-c", CHANGE)
    python("-m", "flows.register")
    again = json.loads(python("-c", STATE))
    assert again == {
        **first,
        "pools": {"cpu": [False, None], "gpu": [True, 1]},
        "schedules": [True, True],
        "parameters": {"photos": {"folder": "/srv/photos", "draw": True}},
    }


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    address = f"http://127.0.0.1:{free_ports(1)[0]}/api"
    done = subprocess.run(
        [sys.executable, "-m", "flows.register"],
        cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": address, "PREFECT_CLIENT_MAX_RETRIES": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"register: {address}: ")
    assert len(done.stderr.splitlines()) == 1
