"""Writing files so that a partial one never looks whole: beside the target, then renamed."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; renamed over `path` when the block ends well, removed when it does not.

    Works for a file and for a folder (a folder that stood there is replaced whole).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    _remove(beside)
    try:
        yield beside
        if beside.is_dir():
            _remove(path)
        beside.replace(path)
    finally:
        _remove(beside)


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left of `replacing(path)`; for the one process that may write `path`."""
    for beside in path.parent.glob(f".{path.name}.*.partial"):
        _remove(beside)


def write_json(path: Path, content: Any) -> None:
    """JSON with sorted keys and a final newline, so that equal content is equal bytes. NaN is refused."""
    with replacing(path) as beside:
        beside.write_text(
            json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
