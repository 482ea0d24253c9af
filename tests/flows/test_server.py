import json
import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

from flows.agent_clone import CloneError, make_clone
from flows.agents import INTERRUPTED
from flows.child import Outcome
from flows.prefect_settings import HOST, PORT, make_server_access
from flows.register import AUTOMATION, POOLS
from flows.server import ServerError, serve
from flows.server_access import lets_in
from tests.flows.conftest import commit, run
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]


def test_every_deployment_has_a_pool_that_make_server_starts_and_a_flow_that_exists() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert [deployment["name"] for deployment in deployments] == ["local"] * 5 + ["gpu"]
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
        serve("0.0.0.0", 4299, [], Path("never-made"))  # noqa: S104


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


PREPARED = (
    "from flows.prefect_settings import prepare; own = prepare(may_run_without_server=True); import json, os;"
    "print(json.dumps([own is not None] + [os.environ.get(name) for name in ('PREFECT_API_URL',"
    "'PREFECT_API_AUTH_STRING', 'NO_PROXY', 'no_proxy')]))"
)


def prepared(**variables: str) -> list[Any]:
    """Whether a process would start a server of its own, and what Prefect would read."""
    own = {
        key: value for key, value in os.environ.items() if not key.startswith("PREFECT_") and "proxy" not in key.lower()
    }
    done = subprocess.run(
        [sys.executable, "-c", PREPARED], cwd=ROOT, env={**own, **variables}, capture_output=True, text=True, check=True
    )
    listed: list[Any] = json.loads(done.stdout)
    return listed


def test_without_a_server_a_run_by_hand_starts_one_with_a_password_of_its_own() -> None:
    if lets_in(make_server_access()):
        pytest.skip("`make server` runs here")
    own, api, auth, *_ = prepared()
    again = prepared()
    assert own
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api", api)
    assert auth.startswith("prefect:")
    assert again[2] != auth


def test_a_server_that_is_named_is_used(tmp_path: Path) -> None:
    own, api, auth, *_ = prepared(PREFECT_API_URL="http://example.org/api", PREFECT_API_AUTH_STRING="a:b")
    assert (own, api, auth) == (False, "http://example.org/api", "a:b")


def test_no_proxy_is_asked_for_what_is_on_this_machine() -> None:
    *_, upper, lower = prepared(PREFECT_API_URL="http://x/api", NO_PROXY="a.example", no_proxy="b.example")
    assert upper == lower == "a.example,b.example,127.0.0.1,localhost,::1"


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (0, "no Prefect server answers at"),
        (401, "wants another password: export PREFECT_API_AUTH_STRING"),
        (404, "is no Prefect API"),
    ],
    ids=["dead", "another password", "not Prefect"],
)
@pytest.mark.parametrize(
    "command", [["flows/pipeline.py", "sample"], ["-m", "flows.agent_worker"]], ids=["flow", "agent"]
)
def test_a_named_server_that_does_not_let_us_in_is_one_sentence(
    command: list[str], status: int, complaint: str
) -> None:
    with answering(status) as port:
        environment = {
            **os.environ,
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert complaint in line
    assert f":{port}/api" in line


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that gives this status to everybody; nobody listens there where it is 0."""
    if not status:
        yield free_ports(1)[0]
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_taken_port_is_said_before_anything_starts() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"port {port} of 127\.0\.0\.1 .*make server PORT="):
            serve(HOST, port, [], Path("never-made"))
