"""Which Python the set-up script takes, or fetches."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scripts.stand_ins import python_stub, refusal, run, stub


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
