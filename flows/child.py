"""`dvc` as a child process: its output as it comes, and what became of a stage."""

import contextlib
import enum
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tasks.ground.process import die_with_parent

Log = Callable[[str], None]
# Set once this process is to end: threads that wait for something else than a child look at it.
stopping = threading.Event()
_running: set["subprocess.Popen[bytes]"] = set()
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


def repro(name: str, root: Path, log: Log, *, force: bool = False, pull: bool = False) -> Outcome:
    """Run `dvc repro` for one stage alone; every line that it prints goes to `log`, progress now and then.

    Args:
        name: the stage, as in dvc.yaml.
        root: the clone's folder.
        log: is given each line.
        force: run it although nothing changed.
        pull: look for its result in DVC's remote before running it.

    Raises:
        StageFailedError: the stage failed; a `StageInterruptedError` where trying again may help.
    """
    flags = [*(["--force"] if force else []), *(["--pull"] if pull else [])]
    code, lines = _dvc(["repro", "-s", name, *flags], root, log)
    if code:
        text = _tail(lines)
        kind = StageInterruptedError if f"exited with {os.EX_TEMPFAIL}" in text else StageFailedError
        raise kind(f"{name} failed (dvc exited with {code}):\n{text}")
    return classify(lines)


def restore(name: str, root: Path, log: Log) -> Outcome | None:
    """Bring a stage's result back from DVC's cache or remote, and never run the stage; None where there is no result.

    Raises:
        StageFailedError: DVC could not look; a `StageInterruptedError` where trying again may help.
    """
    # DVC hands a stage's command to $SHELL: this one runs nothing.
    code, lines = _dvc(["repro", "-s", name, "--pull"], root, _ignore, {"SHELL": shutil.which("false") or "false"})
    outcome = classify(lines)
    if outcome is Outcome.RAN:
        return None
    if code:
        raise _transfer_error(f"{name}: its result could not be looked up", lines)
    for line in filter(is_telling, lines):
        log(line)
    return outcome


def transfer(arguments: Sequence[str], root: Path, log: Log) -> None:
    """Run `dvc push` or `dvc pull`.

    Raises:
        StageFailedError: the disk is full.
        StageInterruptedError: it failed otherwise: the remote may answer again.
    """
    code, lines = _dvc(arguments, root, log)
    if code:
        raise _transfer_error(f"dvc {' '.join(arguments)} failed", lines)


def stop_all() -> None:
    """End every child of this process, those of other threads too, and whatever waits on `stopping`."""
    stopping.set()
    for process in tuple(_running):
        _end(process)


def classify(lines: Sequence[str]) -> Outcome:
    """What happened, from the lines that `dvc repro -s` printed."""
    text = "\n".join(filter(is_telling, lines))
    if "Running stage " in text:
        return Outcome.RAN
    if "is cached - skipping run" in text:
        return Outcome.RESTORED
    return Outcome.CACHED


def is_telling(line: str) -> bool:
    """Whether a line of DVC's says what it did with the stage."""
    return bool(re.match(r"Running stage '|Stage '", line))


def _dvc(arguments: Sequence[str], root: Path, log: Log, env: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
    """The exit code, and the telling lines and the last ones."""
    # dvc.yaml says `python`: that of this process, whatever the worker's own PATH says.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    told: list[str] = []
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with subprocess.Popen(
        [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments],
        cwd=root,
        env={**os.environ, "PATH": path, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a group of its own, so that what the stage started can be ended with it
        preexec_fn=die_with_parent,  # noqa: PLW1509 - a cancelled run must take its trainer along
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        _running.add(process)
        try:
            _go_on_or_raise()
            for line in readable_lines(process.stdout):
                if _is_advice(line):
                    continue
                log(line)
                if len(last) == last.maxlen and is_telling(last[0]):
                    told.append(last[0])
                last.append(line)
        except BaseException:
            # A cancelled run gets here by a signal, and would else wait for the training to end.
            _end(process)
            raise
        finally:
            _running.discard(process)
    return process.returncode, [*told, *last]


def _go_on_or_raise() -> None:
    if stopping.is_set():
        raise StageFailedError("this run is being ended")


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _tail(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_LAST_LINES:])


def _transfer_error(what: str, lines: Sequence[str]) -> StageFailedError:
    text = _tail(lines)
    if os.strerror(errno.ENOSPC) in text:
        return StageFailedError(f"{what}: make room on the disk, then run it again\n{text}")
    return StageInterruptedError(f"{what}\n{text}")


def _ignore(line: str) -> None:
    """Say nothing: what a look-up prints where there is nothing to find would be taken for an error."""


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
