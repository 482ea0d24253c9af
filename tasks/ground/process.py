"""The running process: its end with its parent, messages of its libraries, its cores, run time and memory."""

import gc
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tasks.ground.launch import die_with_parent

# The module that runs stages imports this one before all that takes time.
_STARTED = time.monotonic()
# What shells make of a process that SIGINT ended.
CTRL_C_STATUS = 128 + signal.SIGINT
_SECONDS_TO_END = 5.0
# The variable in which dvc.yaml hands a stage the process that started it.
DVC_PID = "DVC_PID"


def ending_with_me(command: Sequence[str]) -> list[str]:
    """What to start in place of `command`, so that it ends when this process does, even by SIGKILL (on Linux)."""
    if sys.platform != "linux":
        return list(command)
    launch = Path(__file__).with_name("launch.py")
    return [sys.executable, "-I", "-S", str(launch), str(os.getpid()), *command]


def die_with_dvc() -> None:
    """End this process when the `dvc` that runs it as a stage ends; to be called before all imports that take time.

    A killed `dvc repro` would otherwise leave its trainer running, and the next run would find the folder locked.
    """
    if "DVC_STAGE" not in os.environ:
        return
    # dvc.yaml has it from the shell between DVC and a stage. A program that a stage runs is not DVC's child.
    started_by = os.environ.get(DVC_PID)
    os.environ[DVC_PID] = ""
    if started_by == "":
        die_with_parent()
        return
    die_with_parent(int(started_by) if started_by and started_by.isdecimal() else None)
    # DVC may have ended before that shell could see it: an orphan's new parent is of another process group.
    if sys.platform == "linux" and os.getpgid(os.getppid()) != os.getpgrp():
        os.kill(os.getpid(), signal.SIGKILL)


def end_at_ctrl_c() -> None:
    """Until `raise_at_ctrl_c`, while nothing is begun but imports: Ctrl-C ends this process with a word and status 130.

    A KeyboardInterrupt in the middle of an import would show all of its modules. Nothing is changed where SIGINT is
    ignored, as shells have it for background processes.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_at_ctrl_c() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt, once: this process then ends what it is at, and needs no second one.

    Further ones are ignored for five seconds; a later one ends the process at once, should it hang.
    """
    if signal.getsignal(signal.SIGINT) not in (_end, signal.default_int_handler):
        return
    first: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            raise KeyboardInterrupt
        if time.monotonic() - first[0] > _SECONDS_TO_END:
            os._exit(CTRL_C_STATUS)

    signal.signal(signal.SIGINT, stop)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(sys.stderr.fileno(), b"stopped\n")
    os._exit(CTRL_C_STATUS)


def silence_libraries() -> None:
    """Suppress messages that nobody can act on; to be called before TensorFlow and tqdm are imported."""
    # TensorFlow reports as errors that a machine has no GPU, wherever it starts.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Deprecations inside the OD API, which will not change.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # A bar that moves in a terminal adds a line to a log each time.
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "10")


def collect_garbage_seldom() -> None:
    """Let Python look for unreachable objects less often; to be called before TensorFlow is imported.

    Imports and graphs make millions of objects that live to the end. At Python's own thresholds, going through them
    again and again takes a fifth of the time of importing TensorFlow and of tracing a network.
    """
    gc.set_threshold(50_000, 50, 1000)


def usable_cores() -> int:
    """How many CPU cores this process may use: those of a container or a batch job, not all of its machine's.

    More threads than that can take twenty times as long as one (TFLite's wait for each other at work).
    """
    from dask.system import cpu_count  # noqa: PLC0415 - most of a second, wanted only where threads are made

    return int(cpu_count())


def seconds_since_start() -> float:
    """How long this process has run."""
    return time.monotonic() - _STARTED


def peak_memory_mb() -> float:
    """The most memory that this process held at once, in 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
