"""Files that one stage writes and others read: the messages where one is missing or damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import DataError, FormatError


def require_file(path: Path, stage: str) -> Path:
    """`path`, which `stage` writes.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; run `dvc repro`, which runs the stage that writes it ({stage})")
    return path


@contextmanager
def written_by(stage: str) -> Iterator[None]:
    """Adds to a FormatError of the block which stage writes the file, and how to have it whole again."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{error}; {restored_by(stage)}") from error


def restored_by(stage: str) -> str:
    """What to run where a file that `stage` writes is damaged."""
    # Without -s, DVC would run again all that the stage stands on, the training too.
    return f"run `dvc repro`, whose stage {stage} makes or restores it; if it stays damaged, `dvc repro -f -s {stage}`"
