"""The set-up script: which Python it takes, what it makes anew, and its refusals, each a sentence with a remedy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_project import wait_until

ROOT = Path(__file__).parents[1]
SCRIPT = Path("scripts", "setup.sh")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts and requirements, and a folder `bin` that `run` puts first on the PATH."""
    folder = tmp_path / "a clone, größer"
    (folder / "scripts").mkdir(parents=True)
    (folder / "bin").mkdir()
    for name in ("setup.sh", "find_python.sh"):
        shutil.copy(ROOT / "scripts" / name, folder / "scripts")
    for file in ROOT.glob("requirements*.txt"):
        shutil.copy(file, folder)
    # None of the machine's own: only what a test says is there.
    for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
        stub(folder, name, "echo 'command not found' >&2; exit 127")
    return folder


def stub(folder: Path, name: str, script: str) -> Path:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def python_stub(folder: Path, name: str, version: str) -> Path:
    """A Python that tells its version, and makes environments of Pythons that do; no package can be installed there."""
    return stub(
        folder,
        name,
        f"""case "$*" in
*sys.version_info*) echo {version} ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
*) echo "no network" >&2; exit 1 ;;
esac""",
    )


def run(clone: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHON", "NO_PYTHON_DOWNLOAD")}
    return subprocess.run(
        [clone / SCRIPT, *arguments],
        env={**inherited, "PATH": f"{clone / 'bin'}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(clone: Path, *arguments: str, **environment: str) -> str:
    done = run(clone, *arguments, **environment)
    assert done.returncode == 1, done.stderr
    assert not (clone / ".venv" / ".installed").exists()
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("setup: ")
    return last


def test_a_missing_python_is_named(clone: Path) -> None:
    assert "PYTHON=python3.99 was not found, or does not start" in refusal(clone, PYTHON="python3.99")


@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_a_wrong_python_is_named_with_its_version(version: str, clone: Path) -> None:
    message = refusal(clone, PYTHON=str(python_stub(clone, "mine", version)))
    assert f"is Python {version}" in message
    assert "make run PYTHON=" in message


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3.11": "3.11", "python3.12": "3.12", "python3.13": "3.13"}, "3.13"),
        ({"python3.11": "3.11", "python3.12": "3.12"}, "3.12"),
        ({"python3.11": "3.11", "python3": "3.14"}, "3.11"),
        ({"python3": "3.12"}, "3.12"),
        ({"python": "3.13", "python3": "2.7"}, "3.13"),
    ],
)
def test_the_newest_that_starts_is_taken(there: dict[str, str], taken: str, clone: Path) -> None:
    for name, version in there.items():
        python_stub(clone, name, version)

    assert "the installer could not be fetched" in refusal(clone)
    told = subprocess.run([clone / ".venv" / "bin" / "python", "sys.version_info"], capture_output=True, check=True)
    assert told.stdout.decode().strip() == taken


@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_without_a_fitting_python_none_is_fetched_where_that_is_forbidden(version: str, clone: Path) -> None:
    python_stub(clone, "python3", version)

    message = refusal(clone, NO_PYTHON_DOWNLOAD="1")
    assert f"no Python 3.13, 3.12 or 3.11 was found (python3 is {version}), and NO_PYTHON_DOWNLOAD forbids" in message
    assert "apt-get install python3.12" in message


def test_without_any_python_and_without_uv_it_is_said(clone: Path) -> None:
    message = refusal(clone)
    assert message.startswith("setup: no Python 3.13, 3.12 or 3.11 was found: install one")


def test_uv_fetches_a_python_and_says_so_first(clone: Path) -> None:
    python_stub(clone, "python3", "3.10")
    kept = python_stub(clone, "kept", "3.13")
    stub(
        clone,
        "uv",
        f"""[ "$1 $2" = "python install" ] || exit 1
mkdir -p .python/cpython-3.13/bin && cp "{kept}" .python/cpython-3.13/bin/python3.13""",
    )

    first = run(clone)
    assert "(python3 is 3.10): uv fetches Python 3.13 into .python/ now" in first.stderr
    assert (clone / ".venv" / "bin" / "python").exists()
    # What was fetched is taken the next time.
    shutil.rmtree(clone / ".venv")
    assert "fetches" not in run(clone, NO_PYTHON_DOWNLOAD="1").stderr


@pytest.mark.parametrize("script", ["echo 'no route to host' >&2; exit 2", "exit 0"])
def test_a_python_that_cannot_be_fetched_is_one_sentence(script: str, clone: Path) -> None:
    stub(clone, "uv", script)

    message = refusal(clone)
    assert "could not fetch one (no route to host)" in message or "what uv fetched does not start" in message
    assert "install one" in message


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


def test_an_activated_environment_is_not_where_its_python_is_found(clone: Path) -> None:
    """Make puts it first on the PATH, too."""
    venv = clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    shutil.copy(python_stub(clone, "old", "3.11"), venv / "bin" / "python")
    shutil.copy(clone / "bin" / "old", venv / "bin" / "python3")
    python_stub(clone, "python3", "3.13")

    path = f"{venv / 'bin'}:{clone / 'bin'}:/usr/bin:/bin"
    assert "made anew with Python 3.13: it has Python 3.11" in run(clone, PYTHON="python3", PATH=path).stderr
    (venv / ".installing").touch()
    (clone / "bin" / "python3.12").unlink()
    assert "made anew with Python 3.13: its installation was broken off" in run(clone, PATH=path).stderr


def test_an_unknown_kind_is_named(clone: Path) -> None:
    assert "cpu: no such kind of environment; there are run, dev, gpu and fuzz" in refusal(clone, "cpu")


def test_an_old_uv_gives_way_to_the_pinned_one(clone: Path) -> None:
    python_stub(clone, "python3", "3.10")
    stub(clone, "uv", "echo \"unexpected argument '--no-bin'\" >&2; exit 2")
    pinned = clone / ".python" / "uv" / "bin" / "uv"
    pinned.parent.mkdir(parents=True)
    kept = python_stub(clone, "kept", "3.13")
    pinned.write_text(
        f"""#!/bin/sh
[ "$1" = --version ] || {{ mkdir -p .python/cpython/bin && cp "{kept}" .python/cpython/bin/python3.13; }}
"""
    )
    pinned.chmod(0o755)

    assert "the installer could not be fetched" in refusal(clone)
    assert (clone / ".venv" / "bin" / "python").exists()


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
