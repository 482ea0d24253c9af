"""A folder in which a stub stands for Label Studio."""

import sys
from pathlib import Path

import pytest

from tasks.annotating.server import PROGRAM

STUB = Path(__file__).with_name("label_studio_stub.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which the stub stands for Label Studio's program."""
    program = tmp_path / ".annotate" / PROGRAM
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STUB}" "$@"\n')
    program.chmod(0o755)
    return tmp_path
