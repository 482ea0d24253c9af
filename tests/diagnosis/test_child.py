"""What is tried in a process of its own may crash, hang or be killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.diagnosis.child import TrialError, try_in_child
from tests.small_project import ROOT, wait_until


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "stand_in.py"


def test_the_result_comes_back_with_the_environment(module: Path) -> None:
    module.write_text("import json, os, sys; json.dump([sys.argv[1], os.environ['WHERE']], open(sys.argv[2], 'w'))")
    assert try_in_child("stand_in", ["a"], seconds=60, environment={"WHERE": "here"}) == ["a", "here"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import sys; sys.exit('no room')", r"^no room \(ended with 1\)$"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", r"^killed by signal 4$"),
        ("raise ValueError('out of memory')", r"^ValueError: out of memory \(ended with 1\)$"),
        ("raise ValueError('first\\n  second')", r"^ValueError: first second \(ended with 1\)$"),
        ("print('done')", r"^ended with 0$"),
    ],
    ids=["exit", "signal", "exception", "of two lines", "no result"],
)
def test_the_last_words_are_told(module: Path, script: str, said: str) -> None:
    module.write_text(script)
    with pytest.raises(TrialError, match=said):
        try_in_child("stand_in", [], seconds=60)


def test_what_hangs_is_ended(module: Path) -> None:
    module.write_text("import time; time.sleep(600)")
    with pytest.raises(TrialError, match=r"no end after 1 s"):
        try_in_child("stand_in", [], seconds=1)


def test_what_is_tried_ends_with_the_diagnosis(module: Path) -> None:
    """Also where that is killed: a training must not go on."""
    module.write_text(
        f"import os, time; open({str(module.parent / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(300)"
    )
    code = "from tasks.diagnosis.child import try_in_child; try_in_child('stand_in', [], seconds=300)"
    environment = {**os.environ, "PYTHONPATH": f"{module.parent}:{ROOT}"}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as diagnosis:
        pid = module.parent / "pid"
        wait_until(lambda: pid.exists() and pid.read_text() != "", 60)
        diagnosis.kill()
    wait_until(lambda: not Path("/proc", pid.read_text()).exists(), 30)
