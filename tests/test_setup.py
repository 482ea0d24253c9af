"""The set-up script's refusals: one sentence that says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    for file in ROOT.glob("requirements*.txt"):
        shutil.copy(file, tmp_path)
    return tmp_path


def refusal(clone: Path, **environment: str) -> str:
    done = subprocess.run(
        [clone / "scripts" / "setup.sh"],
        env={**os.environ, "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert not (clone / ".venv" / ".installed").exists()
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("setup: ")
    return last


def stub(folder: Path, name: str, script: str) -> Path:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_missing_python_is_named(clone: Path) -> None:
    assert "python3.99 was not found" in refusal(clone, PYTHON="python3.99")


def test_a_wrong_python_is_named_with_its_version(clone: Path) -> None:
    message = refusal(clone, PYTHON=str(stub(clone, "python", "echo 3.12")))
    assert "is Python 3.12" in message
    assert "make run PYTHON=" in message


def test_a_full_disk_is_said_before_anything_is_written(clone: Path) -> None:
    stub(clone, "df", "echo header; echo disk 1 1 123 99% /")
    message = refusal(clone, PATH=f"{clone / 'bin'}:{os.environ['PATH']}")
    assert "only 123 MB are free" in message
    assert not (clone / ".venv").exists()


def test_no_network_is_said(clone: Path) -> None:
    assert "check the network" in refusal(clone, PIP_NO_INDEX="1", PIP_FIND_LINKS="")


def test_nothing_is_done_when_the_stamp_fits(clone: Path) -> None:
    files = (clone / "requirements.txt").read_bytes() + (clone / "requirements-uv.txt").read_bytes()
    stamp = subprocess.run(["sha256sum"], input=files, capture_output=True, check=True).stdout.split()[0]
    (clone / ".venv").mkdir()
    (clone / ".venv" / ".installed").write_bytes(stamp)
    done = subprocess.run(
        [clone / "scripts" / "setup.sh"], env={**os.environ, "PYTHON": "python3.99"}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
