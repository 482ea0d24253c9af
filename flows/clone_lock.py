"""A clone of the project in which at most one run works at a time."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def clone_lock(root: Path, log: Callable[[str], None]) -> Iterator[None]:
    """Lock the clone at `root`; another run waits here until this one has ended.

    Two runs in one clone would undo each other's params and wait for each other's DVC lock stage by stage. The kernel
    releases the lock when its process ends, so a killed run does not block the next one.
    """
    place = root / ".dvc" / "tmp"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "flow-run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log(f"another run works in {root}; waiting until it ends")
            fcntl.flock(file, fcntl.LOCK_EX)
            log("the other run has ended")
        yield
