"""Become another program that ends with the process that started it: `python -I -S launch.py PARENT PROGRAM ...`.

A program of its own, started by `tasks.ground.process.ending_with_me`. Python code between fork and exec (`preexec_fn`)
would do without it, but what a library does in a forked copy of a process with threads may never end: PyAV's did not.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; it outlives exec


def die_with_parent(parent: int | None = None) -> None:
    """End this process when its parent ends, even by SIGKILL (Linux; elsewhere nothing is done).

    Args:
        parent: the process that started this one, where that is known: it may have ended before it could be asked for.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def main(parent: int, command: list[str]) -> None:
    """Run `command` in place of this program."""
    # What Python ignores, a program that it becomes would ignore, too.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(parent)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
