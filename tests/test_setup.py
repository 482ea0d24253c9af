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


def set_up(clone: Path) -> "subprocess.CompletedProcess[str]":
    """Run the script where the packages are there already."""
    files = (clone / "requirements.txt").read_bytes() + (clone / "requirements-uv.txt").read_bytes()
    stamp = subprocess.run(["sha256sum"], input=files, capture_output=True, check=True).stdout.split()[0]
    (clone / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    (clone / ".venv" / ".installed").write_bytes(stamp)
    return subprocess.run(
        [clone / "scripts" / "setup.sh"],
        env={**os.environ, "PYTHON": "python3.99"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_done_when_the_stamp_fits(clone: Path) -> None:
    done = set_up(clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("has_git", [True, False])
def test_dvc_is_told_to_do_without_git_where_there_is_none(has_git: bool, clone: Path) -> None:
    (clone / ".dvc").mkdir()
    if has_git:
        subprocess.run(["git", "init", "-q", clone], check=True)
    dvc = clone / ".venv" / "bin" / "dvc"
    dvc.parent.mkdir(parents=True)
    dvc.write_text("#!/bin/sh\necho $* >> .dvc/config.local\n")
    dvc.chmod(0o755)
    first, second = set_up(clone), set_up(clone)
    assert first.returncode == second.returncode == 0
    assert second.stderr == ""
    if has_git:
        assert first.stderr == ""
        assert not (clone / ".dvc" / "config.local").exists()
    else:
        assert "no git repository here, so DVC does without one" in first.stderr
        assert "git init && git add -A" in first.stderr
        assert (clone / ".dvc" / "config.local").read_text() == "config --local core.no_scm true\n"
