"""The running process: its end with its parent, messages of its libraries, its cores, run time and memory."""

import ctypes
import logging
import os
import resource
import signal
import sys
import time

# The module that runs stages imports this one before all that takes time.
_STARTED = time.monotonic()


def die_with_parent() -> None:
    """End this process when its parent ends, even by SIGKILL (Linux; elsewhere nothing is done).

    A killed `dvc repro` would otherwise leave its trainer running, and the next run would find the folder locked.
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1  # linux/prctl.h
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def silence_libraries() -> None:
    """Suppress messages that nobody can act on; to be called before TensorFlow and tqdm are imported."""
    # TensorFlow 2.15 reports CUDA libraries registered twice as errors wherever it starts.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Deprecations inside the OD API, which will not change.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # A bar that moves in a terminal adds a line to a log each time.
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "10")


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
