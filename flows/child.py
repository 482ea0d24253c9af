"""`dvc`, or a command of `tasks`, as a child process: its output line by line, and the outcome of a stage."""

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

from tasks.ground.dvc_cache import cache_folder, missing_files, missing_text
from tasks.ground.process import ending_with_me

Log = Callable[[str], None]
# Set when this process is to end, for threads that wait for something else than a child.
stopping = threading.Event()
_running: set["subprocess.Popen[bytes]"] = set()
_LAST_LINES = 30
PASSWORDS = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")


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
    """Run `dvc repro` for one stage alone; `log` gets every line it prints, but of a progress bar only a few.

    Args:
        name: the stage, as in dvc.yaml.
        root: the clone's folder.
        log: called with each line.
        force: run it even if nothing changed.
        pull: look for its result in DVC's remote first.

    Raises:
        StageFailedError: the stage failed; a `StageInterruptedError` where trying again may help.
    """
    flags = [*(["--force"] if force else []), *(["--pull"] if pull else [])]
    code, lines = _dvc(["repro", "-s", name, *flags], root, log)
    if code:
        text = _last_lines(lines)
        kind = StageInterruptedError if f"exited with {os.EX_TEMPFAIL}" in text else StageFailedError
        raise kind(f"{name} failed (dvc exited with {code}):\n{text}")
    return classify(lines)


def refuse_unstored(name: str, root: Path) -> None:
    """Check that the result of a stage that has run is in DVC's cache: DVC ends well where the disk was full.

    Raises:
        StageFailedError: it is not there.
    """
    folder = cache_folder(root)
    missing = [each for each in missing_files(folder, root) if each.stage == name]
    if missing:
        raise StageFailedError(missing_text(missing, folder))


def restore(name: str, root: Path, log: Log) -> Outcome | None:
    """Restore a stage's result from DVC's cache or remote without running the stage; None where there is no result.

    Raises:
        StageFailedError: the look-up failed; a `StageInterruptedError` where trying again may help.
    """
    # DVC passes a stage's command to $SHELL: this one runs nothing.
    code, lines = _dvc(["repro", "-s", name, "--pull"], root, _ignore, {"SHELL": shutil.which("false") or "false"})
    outcome = classify(lines)
    if outcome is Outcome.RAN:
        return None
    if code:
        raise _transfer_error(f"{name}: its result could not be looked up", lines)
    for line in filter(is_outcome_line, lines):
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
    """Kill every child of this process, also those of other threads, and end whatever waits on `stopping`."""
    stopping.set()
    for process in tuple(_running):
        _kill(process)


def classify(lines: Sequence[str]) -> Outcome:
    """The outcome, from the lines that `dvc repro -s` printed."""
    text = "\n".join(filter(is_outcome_line, lines))
    if "Running stage " in text:
        return Outcome.RAN
    if "is cached - skipping run" in text:
        return Outcome.RESTORED
    return Outcome.CACHED


def is_outcome_line(line: str) -> bool:
    """Whether a line of DVC's output names what it did with the stage."""
    return bool(re.match(r"Running stage '|Stage '", line))


def run_tasks(arguments: Sequence[str], root: Path, log: Log) -> int:
    """Run `python -m tasks` in `root`; `log` gets each line. The exit code, negative where a signal ended it."""
    return _run(["tasks", *arguments], root, log)


def _dvc(arguments: Sequence[str], root: Path, log: Log, env: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
    """The exit code, and of the output the lines that name an outcome and the last ones."""
    outcome_lines: list[str] = []
    last: deque[str] = deque(maxlen=_LAST_LINES)

    def take(line: str) -> None:
        if _is_advice(line):
            return
        log(line)
        if len(last) == last.maxlen and is_outcome_line(last[0]):
            outcome_lines.append(last[0])
        last.append(line)

    code = _run(["dvc", "--wait-for-lock", *arguments], root, take, env)
    return code, [*outcome_lines, *last]


def _run(module: Sequence[str], root: Path, take: Log, env: Mapping[str, str] | None = None) -> int:
    """Run a Python module with its arguments; `take` gets each line. The exit code."""
    # dvc.yaml says `python`: the one of this process, whatever PATH the worker has.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with subprocess.Popen(
        # A cancelled run must not leave its trainer behind.
        ending_with_me([sys.executable, "-m", *module]),
        cwd=root,
        # Code of a stage, and what it loads, has no use for the server's password.
        env={**{key: value for key, value in os.environ.items() if key not in PASSWORDS}, "PATH": path, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a process group of its own, so that the stage's children can be killed with it
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        _running.add(process)
        try:
            _raise_if_stopping()
            for line in readable_lines(process.stdout):
                take(line)
        except BaseException:
            # A cancelled run gets here by a signal; it would otherwise wait for the training to end.
            _kill(process)
            raise
        finally:
            _running.discard(process)
    return process.returncode


def _raise_if_stopping() -> None:
    if stopping.is_set():
        raise StageFailedError("this run is being stopped")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _last_lines(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_LAST_LINES:])


def _transfer_error(what: str, lines: Sequence[str]) -> StageFailedError:
    text = _last_lines(lines)
    if os.strerror(errno.ENOSPC) in text:
        return StageFailedError(f"{what}: make room on the disk, then run it again\n{text}")
    return StageInterruptedError(f"{what}\n{text}")


def _ignore(line: str) -> None:
    """Log nothing: the output of a look-up without result would look like an error."""


def _is_advice(line: str) -> bool:
    """DVC's hints on git commands, the same after every stage."""
    return line.startswith(
        ("To track the changes with git", "To enable auto staging", "Use `dvc push`", "\tgit ", "\tdvc ")
    )


def readable_lines(stream: IO[bytes], *, seconds_between: float = 10.0) -> Iterator[str]:
    """Lines as they arrive; of a progress bar, which rewrites its line, one every `seconds_between` and its last."""
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
