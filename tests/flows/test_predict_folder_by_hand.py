"""`python flows/predict_folder.py` with a server of its own: what is on the terminal when it fails or is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WAIT_S = 120
# Python runs it when it starts, in the flow's process and in the command's.
WAITING_COMMAND = """
import pathlib, sys, time
if "predict-folder" in sys.orig_argv:
    pathlib.Path("waiting").touch()
    time.sleep(300)
"""
NOTING_COMMAND = """
import pathlib, sys
if "predict-folder" in sys.orig_argv:
    pathlib.Path("arguments").write_text("\\n".join(sys.orig_argv))
"""


def start(project: Path, *arguments: str, at_start: str = "") -> "subprocess.Popen[str]":
    """The flow with `arguments`, in a clone at `project` where an exported model seems to be."""
    (project / "models" / "exported").mkdir(parents=True)
    (project / "site").mkdir()
    (project / "site" / "sitecustomize.py").write_text(at_start)
    for name in ("flows", "tasks"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", project)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    return subprocess.Popen(
        [sys.executable, "flows/predict_folder.py", *arguments],
        cwd=project,
        env={**environment, "PREFECT_HOME": str(project / "prefect"), "PYTHONPATH": str(project / "site")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_missing_folder_is_a_sentence_without_a_traceback(tmp_path: Path) -> None:
    with start(tmp_path, "nowhere") as process:
        try:
            output, _ = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()
    sentence = f"predict-folder: {tmp_path / 'nowhere'}: no such folder; name the one that photos are put into"
    assert (process.returncode, output.splitlines()[-1]) == (1, sentence)
    assert "Traceback" not in output
    # Of a server that has ended.
    assert "View at" not in output


def test_options_reach_the_command_with_paths_from_where_the_flow_was_started(tmp_path: Path) -> None:
    options = ["--out=results", "--model=mine", "--score-threshold=0.5", "--draw", "--again", "--settle=0"]
    with start(tmp_path, "photos", *options, at_start=NOTING_COMMAND) as process:
        try:
            output, _ = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()
    given = (tmp_path / "arguments").read_text().splitlines()
    expected = [f"--model={tmp_path / 'mine'}", "--settle=0", f"--out={tmp_path / 'results'}", "--score-threshold=0.5"]
    assert given[-8:] == [*expected, "--draw", "--again", "--", str(tmp_path / "photos")], output


def test_ctrl_c_ends_it_in_a_sentence(tmp_path: Path) -> None:
    with start(tmp_path, "photos", at_start=WAITING_COMMAND) as process:
        try:
            end = time.monotonic() + WAIT_S
            while not (tmp_path / "waiting").exists() and time.monotonic() < end:
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=WAIT_S / 2)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "predict-folder: stopped; run it again to go on" in output.splitlines()
    assert "Traceback" not in output
