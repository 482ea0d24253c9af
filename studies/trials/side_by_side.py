"""`python -m studies.trials run`: every run of the study that is out of date, several at a time.

DVC decides which these are. Each is a `dvc repro -s` of its own, so that dvc.lock has it as if one `dvc repro` had
run them all, and a run that was killed goes on in the next.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from studies.trials.params import TrialsParams, steps_of
from studies.trials.result import Trial
from tasks.errors import PipelineError
from tasks.ground.process import ending_with_me, usable_cores

LOGS = Path("runs")
_DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
_POLL_S = 0.5
_LAST_LINES = 12
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def run_trials(params: TrialsParams, jobs: int) -> int:
    """Prepare the data, bring every run up to date, `jobs` at a time, then the table; how many ran.

    They share the cores: as many runs as cores, with a thread each, get the most done (README.md of studies/starts).
    Seed by seed, so that whatever has ended when this is stopped compares all arms over the same seeds.

    Raises:
        PipelineError: a run failed, after all others have ended; or Ctrl-C stopped them.
    """
    _repro("data")
    waiting = _out_of_date(params)
    failed: list[str] = []
    running: dict[subprocess.Popen[bytes], Trial] = {}
    LOGS.mkdir(exist_ok=True)
    threads = max(usable_cores() // jobs, 1)
    # In steps, which most of a run's time goes to.
    steps = {trial: steps_of(trial, params) for trial in waiting}
    with tqdm(total=sum(steps.values()), desc=f"{len(waiting)} runs", unit="step") as bar:
        try:
            for trial in waiting:
                _wait(running, jobs - 1, failed, bar, steps)
                running[_start(trial, threads)] = trial
            _wait(running, 0, failed, bar, steps)
        except KeyboardInterrupt:
            raise PipelineError("stopped; the same command goes on from here") from None
        finally:
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if failed:
        raise PipelineError("\n".join([f"{len(failed)} of {len(waiting)} runs failed:", *failed]))
    _repro("-s", "table")
    return len(waiting)


def _repro(*arguments: str) -> None:
    if subprocess.run([*_DVC, "repro", *arguments], check=False).returncode:
        raise PipelineError(f"`dvc repro {' '.join(arguments)}` failed; see above")


def _out_of_date(params: TrialsParams) -> list[Trial]:
    command = [*_DVC, "status", "--json", "train"]
    status = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    if status.returncode:
        raise PipelineError(f"`{' '.join(command[2:])}` failed; see above")
    changed = json.loads(status.stdout)
    return [trial for trial in _matrix(params) if _stage(trial) in changed]


def _matrix(params: TrialsParams) -> list[Trial]:
    return [
        Trial(data, arm, steps, seed)
        for seed in params.seeds
        for steps in params.steps
        for data in params.data
        for arm in params.arms
    ]


def _stage(trial: Trial) -> str:
    return f"train@{trial.key}"


def _log(trial: Trial) -> Path:
    return LOGS / f"{trial.key}.log"


def _start(trial: Trial, threads: int) -> "subprocess.Popen[bytes]":
    # A process group of its own: Ctrl-C reaches this process alone, which then ends the group, the trainer included.
    with _log(trial).open("wb") as log:
        return subprocess.Popen(
            ending_with_me([*_DVC, "repro", "-s", _stage(trial)]),
            env={**os.environ, **dict.fromkeys(_THREADS, str(threads))},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(
    running: "dict[subprocess.Popen[bytes], Trial]",
    at_most: int,
    failed: list[str],
    bar: "tqdm[Any]",
    steps: Mapping[Trial, int],
) -> None:
    """Wait until `at_most` runs are left; note in `failed` those that failed, with the last lines that they printed."""
    while len(running) > at_most:
        for process in [each for each in running if each.poll() is not None]:
            trial = running.pop(process)
            bar.update(steps[trial])
            if process.returncode:
                failed.append(f"{trial.key}, {_log(trial)}:\n{_last_lines(_log(trial))}")
                bar.write(failed[-1], file=sys.stderr)
            else:
                _log(trial).unlink()
        if len(running) > at_most:
            time.sleep(_POLL_S)


def _last_lines(log: Path) -> str:
    lines: Sequence[str] = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").strip().splitlines()
    return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])
