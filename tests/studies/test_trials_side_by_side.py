"""`python -m studies.trials run`: what it starts, in which order, and what a failure and Ctrl-C leave."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from dvc.repo import Repo

from tasks.ground.process import usable_cores
from tests import ctrl_c

ROOT = Path(__file__).parents[2]
TRIALS = """
data: {guns: guns.txt}
arms: {base: {train: {seed: 1}}, none: {train: {seed: 2}}}
steps: [10, 20]
seeds: [1, 2]
scored_on: test
"""
# In place of a training: notes that it began, waits where a file says so, and writes a result.
TRAIN = """
import json, os, pathlib, sys, time
key = "-".join(sys.argv[1:])
with open("began.txt", "a") as file:
    print(key, os.environ["TF_NUM_INTRAOP_THREADS"], file=file, flush=True)
if key == pathlib.Path("fails.txt").read_text():
    sys.exit("no luck with " + key)
if key == pathlib.Path("hangs.txt").read_text():
    pathlib.Path("pid.partial").write_text(f"{os.getpid()} {os.getppid()}")
    pathlib.Path("pid.partial").replace("pid.txt")
    time.sleep(60)
pathlib.Path("results").mkdir(exist_ok=True)
pathlib.Path("results", key + ".json").write_text(json.dumps({"key": key}))
"""
PIPELINE = {
    "vars": ["trials.yaml"],
    "stages": {
        "data": {
            "foreach": "${data}",
            "do": {"cmd": "cp ${item} records-${key}", "deps": ["${item}"], "outs": ["records-${key}"]},
        },
        "train": {
            "matrix": {"data": ["guns"], "arm": ["base", "none"], "steps": "${steps}", "seed": "${seeds}"},
            "cmd": f"exec {sys.executable} train.py ${{item.data}} ${{item.arm}} ${{item.steps}} ${{item.seed}}",
            "params": [{"trials.yaml": ["arms.${item.arm}"]}],
            "deps": ["records-${item.data}"],
            "outs": [
                {"results/${item.data}-${item.arm}-${item.steps}-${item.seed}.json": {"cache": False}},
            ],
        },
        "table": {"cmd": "ls results > table.md", "deps": ["results"], "outs": [{"table.md": {"cache": False}}]},
    },
}
IN_ORDER = [f"guns-{arm}-{steps}-{seed}" for seed in (1, 2) for steps in (10, 20) for arm in ("base", "none")]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study whose trainings take no time."""
    Repo.init(str(tmp_path), no_scm=True).close()
    files = {"trials.yaml": TRIALS, "train.py": TRAIN, "dvc.yaml": json.dumps(PIPELINE), "guns.txt": "guns"}
    for name, text in {**files, "fails.txt": "", "hangs.txt": "", "began.txt": ""}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def command(jobs: int) -> list[str]:
    return [sys.executable, "-m", "studies.trials", "run", "--jobs", str(jobs)]


def start(study: Path, output: IO[str]) -> "subprocess.Popen[bytes]":
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command(1), cwd=study, env=env, stdout=output, stderr=output)


def run(study: Path, *, jobs: int = 1) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command(jobs), cwd=study, env=env, check=False, capture_output=True, text=True, timeout=240)


def began(study: Path) -> list[str]:
    return [line.split()[0] for line in (study / "began.txt").read_text().splitlines()]


def threads(study: Path) -> set[str]:
    return {line.split()[1] for line in (study / "began.txt").read_text().splitlines()}


def results(study: Path) -> set[str]:
    return {path.stem for path in (study / "results").glob("*.json")}


def test_all_runs_seed_by_seed_once_and_only_what_changed_again(study: Path) -> None:
    done = run(study)
    assert done.returncode == 0, done.stderr
    assert began(study) == IN_ORDER
    assert "8 runs have ended" in done.stdout
    assert threads(study) == {str(usable_cores())}
    assert len((study / "table.md").read_text().splitlines()) == 8
    assert not list((study / "runs").iterdir())

    # DVC itself finds nothing to do.
    status = subprocess.run(
        [sys.executable, "-m", "dvc", "status"], cwd=study, check=True, capture_output=True, text=True
    )
    assert "up to date" in status.stdout
    (study / "trials.yaml").write_text(TRIALS.replace("none: {train: {seed: 2}}", "none: {train: {seed: 3}}"))
    (study / "began.txt").write_text("")
    assert run(study).returncode == 0
    assert began(study) == [key for key in IN_ORDER if "-none-" in key]


def test_two_at_a_time_and_a_failed_run_is_named_while_the_others_go_on(study: Path) -> None:
    (study / "fails.txt").write_text(IN_ORDER[2])
    done = run(study, jobs=2)
    assert done.returncode == 1
    assert "1 of 8 runs failed" in done.stderr
    assert f"no luck with {IN_ORDER[2]}" in done.stderr
    assert results(study) == set(IN_ORDER) - {IN_ORDER[2]}
    assert [path.name for path in (study / "runs").iterdir()] == [f"{IN_ORDER[2]}.log"]
    assert threads(study) == {str(max(usable_cores() // 2, 1))}

    (study / "fails.txt").write_text("")
    (study / "began.txt").write_text("")
    assert run(study).returncode == 0
    assert began(study) == [IN_ORDER[2]]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_stopped_it_leaves_no_training_behind_and_goes_on_with_the_next_call(study: Path, by: signal.Signals) -> None:
    (study / "hangs.txt").write_text(IN_ORDER[1])
    with (study / "errors.txt").open("w") as errors_file:
        with ctrl_c.reaches_children():
            process = start(study, errors_file)
        try:
            until((study / "pid.txt").exists)
            process.send_signal(by)
            assert process.wait(timeout=60) != 0
        finally:
            process.kill()
    errors = (study / "errors.txt").read_text()
    assert by != signal.SIGINT or "stopped; the same command goes on from here" in errors
    training, dvc = map(int, (study / "pid.txt").read_text().split())
    if by == signal.SIGKILL:
        # In place of `die_with_dvc`, by which the trainings of a study end with DVC.
        os.kill(training, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{training}").exists() and not Path(f"/proc/{dvc}").exists())
    assert results(study) == {IN_ORDER[0]}

    (study / "hangs.txt").write_text("")
    (study / "began.txt").write_text("")
    assert run(study).returncode == 0
    assert began(study) == IN_ORDER[1:]


def until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never came to that")


@pytest.mark.parametrize("jobs", [0, -2])
def test_fewer_than_one_at_a_time_is_an_error(study: Path, jobs: int) -> None:
    done = run(study, jobs=jobs)
    assert done.returncode == 1
    assert f"--jobs {jobs}: at least one run at a time" in done.stderr
