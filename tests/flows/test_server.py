import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from flows.server import POOLS
from flows.surroundings import HOST, PORT

ROOT = Path(__file__).parents[2]


def test_every_deployment_has_a_pool_that_make_server_starts_and_a_flow_that_exists() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert [deployment["name"] for deployment in deployments] == ["local"]
    for deployment in deployments:
        file, flow = deployment["entrypoint"].split(":")
        assert f"\ndef {flow}(" in (ROOT / file).read_text()
        assert deployment["work_pool"]["name"] in POOLS
        assert not any(schedule["active"] for schedule in deployment["schedules"])


def test_the_command_line_is_told_the_address_that_make_server_takes() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["prefect"]
    assert settings == {"api": {"url": f"http://{HOST}:{PORT}/api"}}


def test_without_a_server_a_run_by_hand_takes_a_temporary_one() -> None:
    code = (
        "from flows.surroundings import prepare; prepare(may_run_without_server=True); import os;"
        "print(repr(os.environ['PREFECT_API_URL']))"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    with socket.socket() as probe:
        taken = probe.connect_ex((HOST, PORT)) == 0
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is not taken
    assert taken or done.stdout.strip() == "''"
