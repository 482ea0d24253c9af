"""A small DVC project that stages of flows run in, a temporary Prefect server, and what stands for a command's work."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DVC_YAML = """
stages:
  take:
    cmd: cp source.txt taken.txt
    deps: [source.txt]
    params: [take]
    outs: [taken.txt]
  arm:
    matrix: {freeze: [0, 4]}
    cmd: cp taken.txt arm-${item.freeze}.txt; echo ${item.freeze} >> arms.log
    meta: {pool: gpu}
    deps: [taken.txt]
    outs: ["arm-${item.freeze}.txt"]
  other:
    cmd: echo made; cat source.txt > other.txt; test $(cat other.txt) != bad
    deps: [source.txt]
    outs: [other.txt]
  remote:
    cmd: echo >> tries; test -e answers || test $(wc -l < tries) -ge 3 || exit 75; touch remote.txt
    outs: [remote.txt]
"""


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    (root / "dvc.yaml").write_text(DVC_YAML)
    (root / "params.yaml").write_text("take:\n  steps: 1\n")
    (root / "source.txt").write_text("a")
    (root / ".gitignore").write_text("*.log\ntries\nanswers\nparams.yaml.before-run\n")
    run(root, "git", "init", "-q")
    run(root, sys.executable, "-m", "dvc", "init", "-q")
    (root / ".dvc" / "config").write_text(
        "[core]\n  analytics = false\n  remote = shared\n['remote \"shared\"']\n  url = ../../remote\n"
    )
    commit(root)
    return root


@pytest.fixture
def project(tmp_path: Path, _template: Path) -> Path:
    """Stages `take`, then `arm@0` and `arm@4`; and two that fail. The DVC remote is a folder beside it.

    `other` fails while source.txt holds `bad`; `remote` fails twice as an unreachable server does, unless there is a
    file `answers`.
    """
    return Path(shutil.copytree(_template, tmp_path / "project"))


@pytest.fixture
def agent(project: Path, tmp_path: Path) -> Path:
    """A second clone of `project`, at its first commit."""
    run(tmp_path, "git", "clone", "-q", str(project), str(tmp_path / "agent"))
    return tmp_path / "agent"


def commit(root: Path) -> None:
    run(root, "git", "add", "-A")
    run(root, "git", "-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "commit", "-qm", "a change")


def run(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def prefect_server() -> Iterator[None]:
    """A temporary server for the flows of one module."""
    # Prefect reads its settings when it is imported, and some modules set them first.
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def start_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has every Python that a test starts run some code first, such as what stands for a training."""

    def start(code: str) -> None:
        site = tmp_path / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(Path(__file__).parents[2])]))

    return start
