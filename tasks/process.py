"""What a long-running process owes the one that started it."""

import ctypes
import signal
import sys


def die_with_parent() -> None:
    """End this process when its parent ends, even by SIGKILL (Linux; elsewhere nothing is done).

    A killed `dvc repro` would else leave its trainer running, and the next run would find the folder taken.
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1  # linux/prctl.h
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)
