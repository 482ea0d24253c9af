"""A clone with the set-up scripts, on a machine without any Python."""

import shutil
from pathlib import Path

import pytest

from tests.scripts.stand_ins import ROOT, stub


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
