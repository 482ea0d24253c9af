"""Work that outlives a killed process: kept in a folder of its own until the stage has its result.

Such a folder lies outside DVC's outs, which DVC deletes before a stage runs.
"""

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import PipelineError

# Other folders are not of this module, whatever they do there.
_KEY = re.compile("[0-9a-f]{16}")


@contextmanager
def unfinished_work(root: Path, key: str, busy: PipelineError) -> Iterator[Path]:
    """The folder `root`/`key`, locked for this process with what it holds; folders of other keys are removed.

    The kernel drops the lock with the process, however that ends.

    Args:
        root: the folder in params.yaml.
        key: 16 hexadecimal digits, a hash of everything the work depends on: a changed param starts clean.
        busy: raised where another process holds `root`.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy from error
        for other in root.iterdir():
            if other.is_dir() and other.name != key and _KEY.fullmatch(other.name):
                shutil.rmtree(other)
        (root / key).mkdir(exist_ok=True)
        yield root / key


def kept_by_command(resume: Path, command: str) -> Path:
    """Where a command keeps what a killed run had done: beside `resume`, where training keeps its own."""
    return resume.with_name(f"{resume.name}.{command}")
