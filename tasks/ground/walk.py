"""Walking folders that people filled. What is hidden, and what systems and tools leave behind, is never looked at.

A name with a dot before it is hidden: `.ipynb_checkpoints` holds stale copies of files, `.idea` XML of its own, and
macOS puts `._x.xml` beside x.xml. The folder where a walk begins may be hidden, or a link. Links to folders below it
are not followed.
"""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tasks.errors import DataError
from tasks.ground.files import relative_to_here

# Of zip files from macOS, Windows, NAS devices (small copies of photos), file systems, Python.
_LEFTOVERS = frozenset(
    {
        "__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "@eadir", "#recycle",
        "lost+found", "__pycache__",
    }
)  # fmt: skip


def is_left_out(name: str) -> bool:
    """Whether a file or folder of this name is never looked at."""
    return name.startswith(".") or name.casefold() in _LEFTOVERS


def walk(
    folder: Path, enters: Callable[[Path], bool] = lambda folder: True
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """For `folder` and each folder below it: its path, its folders' names and its files' names, both sorted.

    Folders that `enters` refuses are named, but not walked. Of a `folder` that does not exist there is nothing.

    Raises:
        DataError: a folder may not be read, or lies too deep: its files would be missing in silence.
    """
    for path, folders, files in os.walk(folder, onerror=_refuse_unsearched):
        here = Path(path)
        seen = sorted(name for name in folders if not is_left_out(name))
        folders[:] = [name for name in seen if enters(here / name)]
        yield here, seen, sorted(name for name in files if not is_left_out(name))


def files_below(folder: Path) -> list[Path]:
    """All that `walk` finds below `folder` and that is no folder, sorted: also broken links, pipes and devices."""
    return sorted(here / name for here, _, files in walk(folder) for name in files)


def _refuse_unsearched(error: OSError) -> None:
    if isinstance(error, PermissionError) or error.errno == errno.ENAMETOOLONG:
        raise DataError(f"{relative_to_here(Path(error.filename))}: cannot be searched: {error.strerror}") from error
