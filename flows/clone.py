"""A clone of the project that runs work in: one run in it at a time."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(root: Path, log: Callable[[str], None]) -> Iterator[None]:
    """Hold the clone at `root`; another run waits here until this one ends, however it ends.

    Two runs in one clone would undo each other's params and wait for each other's DVC lock stage by stage. The kernel
    lets go of the lock when its process is gone: nothing that was killed stops the next run.
    """
    place = root / ".dvc" / "tmp"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "flow-run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log(f"another run is at work in {root}; waiting until it ends")
            fcntl.flock(file, fcntl.LOCK_EX)
            log("the other run has ended")
        yield
