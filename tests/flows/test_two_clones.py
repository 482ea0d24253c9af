"""A server, two workers and two clones: an agent trains, and the clone that sent the stage does not."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from flows.server_access import read_access
from tests.flows.conftest import run
from tests.flows.prefect_attack import FLOW, REFUSED, attack
from tests.foreign_page import BROWSER
from tests.small_project import STEPS, Project, wait_until

pytestmark = pytest.mark.slow


class Server:
    """`make server` in a clone, and runs of its deployment."""

    def __init__(self, clone: Path, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.clone, self.log = clone, home / "server.log"
        own = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        self.environment = {
            **own,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows.server", "--port", str(self.port)],
                cwd=clone,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._ready, 300)

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-5000:]
        return "Ready. The pages" in self.log.read_text()

    def run_pipeline(self, *parameters: str) -> str:
        """Run `pipeline/local` to its end; what the server and its workers logged meanwhile."""
        before = len(self.log.read_text())
        arguments = [argument for parameter in parameters for argument in ("--param", parameter)]
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "deployment", "run", "pipeline/local", "--watch", *arguments],
            cwd=self.clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        logged = self.log.read_text()[before:]
        assert done.returncode == 0, done.stdout + done.stderr + logged[-8000:]
        return logged

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=120)


@pytest.fixture(scope="module")
def clone(finished: tuple[Project, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the finished project, with its cache and its results, in which only training has something to do."""
    source = finished[0].folder
    clone = tmp_path_factory.mktemp("clones") / "parent"
    run(source, "git", "clone", "-q", str(source), str(clone))
    (clone / ".dvc" / "config.local").write_text(f"[cache]\n  dir = {source / '.dvc' / 'cache'}\n")
    shutil.copy(source / "dvc.lock", clone)
    run(clone, sys.executable, "-m", "dvc", "checkout", "-q")
    return clone


@pytest.fixture(scope="module")
def server(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(clone, tmp_path_factory.mktemp("prefect"))
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()


def test_an_agent_trains_once_and_the_sending_clone_fetches_the_result(server: Server, clone: Path) -> None:
    logged = server.run_pipeline('targets=["train"]', 'params={"train.seed": 7}', "gpu=train-stage/gpu")
    assert logged.count("Flow run 'train' - Running stage 'train'") == 1
    assert f"{STEPS}/{STEPS}" in logged
    assert "Task run 'train' - Running stage" not in logged
    assert "Task run 'train' - Finished in state Restored" in logged
    assert yaml.safe_load((clone / "params.yaml").read_text())["train"]["seed"] == 7
    assert not list(clone.glob("models/resume/*"))
    status = run(clone, sys.executable, "-m", "dvc", "status", "train", "--json")
    assert status.strip() == "{}"
    agent = clone / ".agent"
    assert (agent / "metrics/train.json").read_bytes() == (clone / "metrics/train.json").read_bytes()


def test_a_second_run_is_cached_and_sends_nothing_to_an_agent(server: Server) -> None:
    logged = server.run_pipeline('targets=["train"]', "gpu=train-stage/gpu")
    assert logged.count("Finished in state Cached") == 8
    assert "train-stage/gpu" not in logged


@pytest.mark.skipif(not BROWSER, reason="no Chromium here; `apt install chromium` brings one")
def test_a_foreign_page_runs_nothing_through_make_server(server: Server, clone: Path, tmp_path: Path) -> None:
    access = read_access(clone)
    assert access
    assert (clone / "prefect.toml").stat().st_mode & 0o777 == 0o600
    assert REFUSED.items() <= attack(access.api, tmp_path / "mark", tmp_path / "profile").items()
    listed = httpx.post(f"{access.api}/flows/filter", json={}, auth=tuple(access.auth.split(":")), trust_env=False)  # type: ignore[arg-type]
    names = {flow["name"] for flow in listed.json()}
    assert "pipeline" in names
    assert FLOW not in names
    time.sleep(20)  # a worker asks for work every 15 seconds
    assert not (tmp_path / "mark").exists()
    assert access.auth not in server.log.read_text()


def test_ctrl_c_stops_the_server_and_both_workers(server: Server) -> None:
    assert server.stop() == 0
    assert not (server.clone / "prefect.toml").exists()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=5).request("GET", "/api/health")
