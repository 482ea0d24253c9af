import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from flows.agent_clone import CloneError, make_clone
from flows.agents import INTERRUPTED
from flows.child import Outcome
from flows.prefect_settings import HOST, PORT
from flows.server import AUTOMATION, POOLS, ServerError, serve
from tests.flows.conftest import commit, run

ROOT = Path(__file__).parents[2]


def test_every_deployment_has_a_pool_that_make_server_starts_and_a_flow_that_exists() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert [deployment["name"] for deployment in deployments] == ["local", "local", "gpu"]
    for deployment in deployments:
        file, flow = deployment["entrypoint"].split(":")
        assert f"\ndef {flow}(" in (ROOT / file).read_text()
        assert deployment["work_pool"]["name"] in POOLS
        assert not any(schedule["active"] for schedule in deployment.get("schedules", []))


def test_the_command_line_uses_the_address_of_make_server() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["prefect"]
    assert settings["api"] == {"url": f"http://{HOST}:{PORT}/api"}


def test_a_run_is_lost_after_three_heartbeats_not_one() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["prefect"]
    automation = yaml.safe_load((ROOT / "flows" / "lost_runs.yaml").read_text())
    assert automation["name"] == AUTOMATION
    assert automation["trigger"]["within"] >= 3 * settings["flows"]["heartbeat_frequency"]
    ends = {f"prefect.flow-run.{name}" for name in [*(outcome.value for outcome in Outcome), INTERRUPTED]}
    assert ends < set(automation["trigger"]["expect"])


@pytest.mark.parametrize("password", [None, "", "nocolon"])
def test_a_server_that_others_can_reach_needs_a_password(password: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    if password is not None:
        monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", password)
    with pytest.raises(ServerError, match="PREFECT_SERVER_API_AUTH_STRING=NAME:PASSWORD"):
        serve("0.0.0.0", 4299, Path("never-made"))  # noqa: S104


def test_the_agents_clone_has_the_commit_and_the_dvc_remote_of_the_project(project: Path, tmp_path: Path) -> None:
    clone = project / ".agent"
    make_clone(project, clone)
    (project / "source.txt").write_text("b")
    commit(project)
    make_clone(project, clone)
    assert (clone / "source.txt").read_text() == "b"
    with Repo(str(clone)) as repo:
        assert repo.config["remote"]["shared"]["url"] == str(tmp_path / "remote")


def test_a_clone_that_somebody_works_in_is_left_unchanged(project: Path, tmp_path: Path) -> None:
    clone = project / ".agent"
    make_clone(project, clone)
    (clone / "params.yaml").write_text("sent by a request")
    make_clone(project, clone)
    (clone / "source.txt").write_text("mine")
    with pytest.raises(CloneError, match=r"\.agent has changes that a check-out would lose: source\.txt\. Commit them"):
        make_clone(project, clone)
    assert (clone / "source.txt").read_text() == "mine"


def test_without_a_commit_no_clone_is_made(tmp_path: Path) -> None:
    run(tmp_path, "git", "init", "-q")
    with pytest.raises(CloneError, match="needs a commit"):
        make_clone(tmp_path, tmp_path / ".agent")


def test_without_a_server_a_run_by_hand_uses_a_temporary_one() -> None:
    code = (
        "from flows.prefect_settings import prepare; prepare(may_run_without_server=True); import os;"
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
