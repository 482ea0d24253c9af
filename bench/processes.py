"""Whole processes measured from outside: seconds and peak memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

Measured = TypeVar("Measured")

ROOT = Path(__file__).resolve().parents[1]
_ONE_PROCESS = Path(__file__).with_name("one_process.py")


@dataclass(frozen=True)
class Cost:
    """The cost of one process, or of several one after another.

    Attributes:
        seconds: on the clock.
        cpu_seconds: of all cores together.
        peak_mb: resident memory of the largest of them, in 10^6 bytes.
        started: when the first of them was started, in seconds since the epoch.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    started: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        """Both, one after the other."""
        return Cost(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_mb, other.peak_mb),
            self.started,
        )


def cost_of(arguments: Sequence[str], folder: Path) -> Cost:
    """The cost of `python ARGUMENTS` in `folder`, the start of the interpreter included.

    Raises:
        RuntimeError: it failed; the message has the end of its output.
    """
    return cost_and_output(arguments, folder)[0]


def cost_and_output(arguments: Sequence[str], folder: Path) -> tuple[Cost, str]:
    """As `cost_of`, and what the process printed, errors included.

    Raises:
        RuntimeError: it failed; the message has the end of its output.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory() as beside:
        report = Path(beside) / "cost.json"
        measured = [sys.executable, "-I", "-S", str(_ONE_PROCESS), str(report), sys.executable, *arguments]
        done = subprocess.run(
            measured, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        output = done.stdout.decode(errors="replace")
        if done.returncode:
            raise RuntimeError(f"python {' '.join(arguments)} ended with {done.returncode}:\n{output[-2000:]}")
        return Cost(**json.loads(report.read_text(encoding="utf-8"))), output


def in_turns(
    sides: dict[str, Callable[[], Measured]], repeats: int, what: str, *, warm_up: bool = True
) -> dict[str, list[Measured]]:
    """What each side measured, `repeats` times, A B A B ...; a turn to `warm_up` fills caches and does not count."""
    measurements: dict[str, list[Measured]] = {name: [] for name in sides}
    with tqdm(desc=what, unit="run", total=(repeats + warm_up) * len(sides)) as bar:
        for number in range(repeats + warm_up):
            for name, run in sides.items():
                bar.set_postfix_str(name)
                measured = run()
                if number >= warm_up:
                    measurements[name].append(measured)
                bar.update()
    return measurements


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, and the least and the largest in brackets."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def ratio(stock: Sequence[Cost], ours: Sequence[Cost]) -> str:
    """How many times faster `ours` is, turn by turn: median and range, on the clock and in processor time."""
    clock = [a.seconds / b.seconds for a, b in zip(stock, ours, strict=True)]
    processor = [a.cpu_seconds / b.cpu_seconds for a, b in zip(stock, ours, strict=True)]
    return f"{spread(clock)} times as fast; {spread(processor)} in processor time"


def line(name: str, costs: Sequence[Cost], images: int) -> str:
    """One side's row: seconds, images a second, memory."""
    seconds, peak = [c.seconds for c in costs], [c.peak_mb for c in costs]
    speed = [images / s for s in seconds]
    return f"  {name:<44} {spread(seconds)} s, {spread(speed, '.0f')} images/s, {spread(peak, '.0f')} MB"
