"""Ctrl-C in `predict` and `predict-folder`: sent to a process whose detector waits in its second batch."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import ctrl_c
from tests.prediction.finding import picture

ROOT = Path(__file__).parents[2]
WAIT_S = 60
# Python runs it when it starts.
WAITING_DETECTOR = """
import pathlib, sys, time, types
def load_exported(folder, *, trust):
    from tests.prediction.finding import WhiteFinder
    class Waiting(WhiteFinder):
        def detect(self, images):
            if self.batches:
                pathlib.Path("waiting").touch()
                time.sleep(60)
            return super().detect(images)
    return Waiting()
module = types.ModuleType("tasks.evaluation.exported")
module.load_exported = load_exported
sys.modules[module.__name__] = module
"""
INTERRUPTED_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "tasks.params":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


def start(folder: Path, at_start: str, *arguments: str) -> "subprocess.Popen[str]":
    """`python -m tasks` in `folder`, whose Python first runs `at_start`."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(at_start)
    with ctrl_c.reaches_children():
        return subprocess.Popen(
            [sys.executable, "-m", "tasks", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(ROOT)])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.mark.parametrize("times", [1, 3], ids=["once", "three times"])
@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("predict", "predict: stopped; 2 images done; run it again: it starts with the first image"),
        ("predict-folder", "predict-folder: stopped; 2 photos done; run it again to go on"),
    ],
)
def test_ctrl_c_ends_in_one_sentence_and_leaves_no_part_of_a_file(
    tmp_path: Path, command: str, sentence: str, times: int
) -> None:
    for i in range(40):
        picture(tmp_path / "photos" / f"{i:02}.png", white=(0, 0, i + 1, 10))
    (tmp_path / "model").mkdir()
    draws = ["--settle=0", "--draw"] if command == "predict-folder" else []
    options = ["--model=model", "--score-threshold=0.3", "--batch-size=2", "--out=out", *draws]
    with start(tmp_path, WAITING_DETECTOR, command, "photos", *options) as process:
        try:
            end = time.monotonic() + WAIT_S
            while not (tmp_path / "waiting").exists() and time.monotonic() < end:
                time.sleep(0.01)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
                time.sleep(0.01)
            _, errors = process.communicate(timeout=WAIT_S / 2)
        finally:
            process.kill()
    assert errors.splitlines()[-1] == sentence
    assert "Traceback" not in errors
    # Python's own end may be ended by a later one.
    assert process.returncode in ({130} if times == 1 else {130, -signal.SIGINT})
    assert list((tmp_path / "out").rglob("*.partial")) == []
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 2


def test_ctrl_c_during_imports_shows_none_of_them(tmp_path: Path) -> None:
    with start(tmp_path, INTERRUPTED_IMPORT, "predict", "photos") as process:
        _, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, errors) == (130, "stopped\n")
