"""`dvc repro` of one stage as a child process: its output as it comes, and what became of the stage."""

import enum
import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from tasks.process import die_with_parent

_LAST_LINES = 30


class Outcome(enum.Enum):
    """What `dvc repro -s` did with a stage."""

    CACHED = "Cached"
    RESTORED = "Restored"
    RAN = "Ran"


class StageFailedError(Exception):
    """A stage ended with an error; the message holds the last lines it printed."""


class StageInterruptedError(StageFailedError):
    """A stage ended with an error that may pass by itself, such as a server that did not answer."""


def repro(name: str, root: Path, log: Callable[[str], None], *, force: bool = False) -> Outcome:
    """Run `dvc repro` for one stage alone; every line that it prints goes to `log`, progress now and then.

    Raises:
        StageFailedError: the stage failed; a `StageInterruptedError` where trying again may help.
    """
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s", name, *(["--force"] if force else [])]
    # dvc.yaml says `python`: that of this process, whatever the worker's own PATH says.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    lines: list[str] = []
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - a cancelled run must take its trainer along
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        for line in readable_lines(process.stdout):
            if _is_advice(line):
                continue
            log(line)
            last.append(line)
            if is_telling(line):
                lines.append(line)
    if process.returncode:
        text = "\n".join(last)
        kind = StageInterruptedError if f"exited with {os.EX_TEMPFAIL}" in text else StageFailedError
        raise kind(f"{name} failed (dvc exited with {process.returncode}):\n{text}")
    return classify(lines)


def classify(lines: list[str]) -> Outcome:
    """What happened, from the lines that `is_telling` picks out."""
    text = "\n".join(lines)
    if "Running stage " in text:
        return Outcome.RAN
    if "is cached - skipping run" in text:
        return Outcome.RESTORED
    return Outcome.CACHED


def is_telling(line: str) -> bool:
    """Whether a line of DVC's says what it did with the stage."""
    return bool(re.match(r"Running stage '|Stage '", line))


def _is_advice(line: str) -> bool:
    """DVC's hints on git commands, the same after every stage."""
    return line.startswith(
        ("To track the changes with git", "To enable auto staging", "Use `dvc push`", "\tgit ", "\tdvc ")
    )


def readable_lines(stream: IO[bytes], *, seconds_between: float = 10.0) -> Iterator[str]:
    """Lines as they come; of a progress bar, which rewrites its line, only one in so many seconds and its last."""
    shown = 0.0
    waiting = ""
    for text, is_progress in _pieces(stream):
        if not text.strip():
            continue
        if is_progress and time.monotonic() - shown < seconds_between:
            waiting = text
            continue
        if waiting and not is_progress:
            yield waiting
        waiting = ""
        if is_progress:
            shown = time.monotonic()
        yield text
    if waiting:
        yield waiting


def _pieces(stream: IO[bytes]) -> Iterator[tuple[str, bool]]:
    """Text up to each end of line, and whether that end was a carriage return alone."""
    rest = b""
    while chunk := os.read(stream.fileno(), 65536):
        *complete, rest = re.split(rb"(\r\n|\n|\r)", rest + chunk)
        for text, end in zip(complete[::2], complete[1::2], strict=True):
            yield text.decode(errors="replace"), end == b"\r"
    if rest:
        yield rest.decode(errors="replace"), False
