"""The environment that the set-up script makes, keeps or makes anew; its refusals are a sentence with a remedy each."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.stand_ins import SCRIPT, python_stub, refusal, run, stub
from tests.small_project import wait_until

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_a_python_without_venv_is_said(clone: Path) -> None:
    stub(
        clone,
        "python3.12",
        """case "$*" in
*sys.version_info*) echo 3.12 ;;
*) mkdir -p "$3/bin"; echo 'No module named ensurepip'; exit 1 ;;
esac""",
    )

    message = refusal(clone)
    assert "could not make a virtual environment (No module named ensurepip)" in message
    assert message.endswith("apt-get install python3.12-venv")
    assert [path.name for path in (clone / ".venv").iterdir() if path.name != "bin"] == [".installing"]


def test_cuda_is_refused_where_it_cannot_be(clone: Path) -> None:
    stub(clone, "uname", "echo Darwin")
    assert "leave GPU=1 out" in refusal(clone, "gpu")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("other", "it has Python 3.11"),
        ("gone", "its Python does not start any more"),
        ("half", "its installation was broken off"),
    ],
)
def test_an_environment_that_does_not_fit_is_made_anew_and_what_it_had_is_kept_in_mind(
    damage: str, why: str, clone: Path
) -> None:
    venv = clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "old").touch()
    (venv / ".dev").touch()
    (venv / "pyvenv.cfg").touch()
    python_stub(clone, "python3.13", "3.13")
    python = venv / "bin" / "python"
    if damage == "gone":
        python.symlink_to(clone / "bin" / "no-longer")
    else:
        shutil.copy(python_stub(clone, "old", "3.11" if damage == "other" else "3.13"), python)
    if damage == "half":
        (venv / ".installing").touch()

    done = run(clone, **({"PYTHON": "python3.13"} if damage == "other" else {}))
    assert f".venv is made anew with Python 3.13: {why}" in done.stderr
    assert not (venv / "old").exists()
    assert (venv / ".dev").exists()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_environment_is_left(kind: str, clone: Path) -> None:
    python_stub(clone, "python3.13", "3.13")
    own = clone / ".venv" / "mine" if kind == "folder" else clone / ".venv"
    own.parent.mkdir(exist_ok=True)
    own.write_text("a user's")

    assert ".venv is not an environment of this project: move it away" in refusal(clone)
    assert own.read_text() == "a user's"


def test_an_environment_stays_until_another_can_be_made(clone: Path) -> None:
    venv = clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    shutil.copy(python_stub(clone, "old", "3.11"), venv / "bin" / "python")
    (venv / ".gpu").touch()
    broken = stub(
        clone, "python3.13", 'case "$*" in *sys.version_info*) echo 3.13 ;; *) echo no ensurepip; exit 1 ;; esac'
    )

    assert "could not make a virtual environment (no ensurepip)" in refusal(clone, PYTHON=str(broken))
    assert (venv / "bin" / "python").exists()
    assert (venv / ".gpu").exists()


def test_an_unknown_kind_is_named(clone: Path) -> None:
    assert "cpu: no such kind of environment; there are run, dev, gpu and fuzz" in refusal(clone, "cpu")


def test_an_environment_keeps_its_python_when_a_newer_one_comes(clone: Path) -> None:
    venv = clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    shutil.copy(python_stub(clone, "old", "3.11"), venv / "bin" / "python")
    python_stub(clone, "python3.13", "3.13")

    assert "made anew" not in run(clone).stderr
    assert not (venv / ".installed").exists()


def test_a_full_disk_is_said_before_anything_is_written(clone: Path) -> None:
    python_stub(clone, "python3.12", "3.12")
    stub(clone, "df", "echo header; echo disk 1 1 123 99% /")
    message = refusal(clone)
    assert "only 123 MB are free" in message
    assert not (clone / ".venv").exists()


def test_cuda_needs_more_disk(clone: Path) -> None:
    python_stub(clone, "python3.12", "3.12")
    stub(clone, "uname", "echo Linux")
    stub(clone, "df", "echo header; echo //me@server/My Share 1 1 6000 1% /")
    assert "only 6000 MB are free here, and the packages need 9000 MB" in refusal(clone, "gpu")


def test_no_network_is_said(clone: Path) -> None:
    assert "check the network" in refusal(clone, PYTHON=sys.executable, PIP_NO_INDEX="1", PIP_FIND_LINKS="")


def set_up(clone: Path) -> "subprocess.CompletedProcess[str]":
    """Run the script where the packages are there already."""
    files = (clone / "requirements.txt").read_bytes() + (clone / "requirements-uv.txt").read_bytes()
    stamp = subprocess.run(["sha256sum"], input=files, capture_output=True, check=True).stdout.split()[0]
    (clone / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    python = clone / ".venv" / "bin" / "python"
    if not python.exists():
        python.symlink_to(sys.executable)
    (clone / ".venv" / ".installed").write_bytes(stamp + f" {HERE}".encode())
    return run(clone)


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


def test_two_setups_of_one_clone_come_one_after_the_other(clone: Path) -> None:
    """The second finds what the first has installed."""
    python_stub(clone, "python3.12", "3.12")
    stub(clone, "df", "touch waiting; while [ ! -e go ]; do sleep 0.05; done; echo header; echo disk 1 1 123 99% /")
    environment = {"PATH": f"{clone / 'bin'}:/usr/bin:/bin"}
    with subprocess.Popen([clone / SCRIPT], env=environment, stderr=subprocess.PIPE, text=True) as first:
        wait_until((clone / "waiting").exists, 30)
        with subprocess.Popen([clone / SCRIPT], env=environment, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert second.stderr.readline() == "setup: waiting for another setup of this clone\n"
            set_up(clone)
            (clone / "go").touch()
            assert "only 123 MB are free" in first.communicate()[1]
            assert second.wait(30) == 0
