"""A small DVC project that stages of flows run in."""

import subprocess
import sys
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
    cmd: cp taken.txt arm-${item.freeze}.txt
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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Stages `take`, then `arm@0` and `arm@4`; and two that fail.

    `other` fails while source.txt holds `bad`; `remote` fails twice as an unreachable server does, unless there is a
    file `answers`.
    """
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    (tmp_path / "params.yaml").write_text("take:\n  steps: 1\n")
    (tmp_path / "source.txt").write_text("a")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path
