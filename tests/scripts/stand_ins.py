"""Stand-ins for the programs of a machine, and the set-up script run among them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = Path("scripts", "setup.sh")


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
