"""What the pipeline must never do: run in its place, so that it is seen that the tests would notice."""

import time
from collections.abc import Sequence
from pathlib import Path


def hog(_arguments: Sequence[str]) -> int:
    """Hold more memory than any stage may, and use it."""
    held = bytearray(1_200_000_000)
    held[::4096] = b"x" * len(held[::4096])
    return 0


def hang(_arguments: Sequence[str]) -> int:
    """Never end."""
    while True:
        time.sleep(1)


def stumble(_arguments: Sequence[str]) -> int:
    """Leave a traceback."""
    raise RuntimeError("a bug")


def catch(_arguments: Sequence[str]) -> int:
    """Print a traceback, and pretend that it was a refusal."""
    print("Traceback (most recent call last):")
    return 1


def litter(_arguments: Sequence[str]) -> int:
    """Leave a partial file."""
    Path(".annotations.json.1.partial").touch()
    return 0


def act(_arguments: Sequence[str]) -> int:
    """Print and write what acts on a terminal."""
    print("\x1b[2J\u202e")
    Path("metrics").mkdir()
    Path("metrics/data.json").write_text('"\x9b"', encoding="utf-8")
    return 0
