"""Writing files so that a partial one never looks whole: beside the target, then renamed."""

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.errors import FormatError, PipelineError

# The folder of all rooms: work that is kept between runs is keyed by a hash of its files.
CODE = Path(__file__).parents[1]
MAX_JSON_BYTES = 1_000_000_000
# An empty list or object takes two bytes of a file and sixty and more of memory; the annotations of real tools have one
# in 25 bytes or more. Small files may have as many as they like.
_MANY_CONTAINERS, _MIN_BYTES_A_CONTAINER = 2_000_000, 16
# As `_beside` names them.
_LEFTOVER = re.compile(r"\..+\.\d+\.partial")
# That of nearly all file systems.
LONGEST_NAME_BYTES = 255
# What `_beside` adds to a name, with the number of a process of up to ten digits.
_PARTIAL_BYTES = len("..partial") + 10
# What json does not escape and a terminal obeys: controls, directions, marks without width, line and paragraph ends.
_ACTING = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


@contextmanager
def replacing(path: Path, *, own_folder: bool = False) -> Iterator[Path]:
    """A path beside `path` to write to; renamed over `path` when the block ends well, removed when it does not.

    Args:
        path: a file, or a folder that does not exist or is empty.
        own_folder: a folder at `path` is an out of the stage that calls, and is replaced whole.

    Raises:
        PipelineError: a folder with files stands there.
    """
    if not own_folder and path.is_dir() and any(path.iterdir()):
        raise PipelineError(f"{path}: a folder with files stands there, which is not removed: move it, or name another")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path)
    _remove(beside)
    try:
        yield beside
        if path.is_dir():
            _remove(path) if own_folder else path.rmdir()
        beside.replace(path)
    finally:
        _remove(beside)


def remove_leftovers(path: Path) -> None:
    """Remove the partial files that killed processes left beside `path`; for the one process that may write `path`."""
    ours = re.compile(rf"\.{re.escape(_partial_stem(path.name))}\.\d+\.partial")
    if path.parent.is_dir():
        for beside in [each for each in path.parent.iterdir() if ours.fullmatch(each.name)]:
            _remove(beside)


def remove_leftovers_below(folder: Path) -> None:
    """Remove the partial files that killed processes left in `folder` and its folders; for its only writer."""
    for here, _, names in os.walk(folder):
        for name in filter(_LEFTOVER.fullmatch, names):
            Path(here, name).unlink(missing_ok=True)


def megabytes(path: Path) -> float:
    """The size of a file, or of all files below a folder, in 10^6 bytes, to one digit."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


def write_json(path: Path, content: object) -> None:
    r"""JSON with sorted keys and a final newline, so that equal content is equal bytes. NaN is refused.

    Characters that act on what shows the file (controls, changes of direction, line ends) are written as `\uXXXX`: the
    same to every reader of JSON, and harmless to a terminal.
    """
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replacing(path) as beside:
        beside.write_text(_escape_acting(text) + "\n", encoding="utf-8")


def _escape_acting(text: str) -> str:
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def write_private(path: Path, text: str) -> None:
    """A file that nobody but its owner can read, not even while it is written; replaces what stands there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path)
    _remove(beside)
    try:
        # Asked of the kernel at its creation: a `chmod` afterwards leaves it open for a moment.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    finally:
        _remove(beside)


def write_json_lists(path: Path, head: Mapping[str, object], lists: Mapping[str, Iterable[object]]) -> None:
    """One JSON object: `head`, then `lists`, a line for each of their entries, which are never all held at once."""
    encoder = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)

    def encode(value: object) -> str:
        return _escape_acting(encoder.encode(value))

    with replacing(path) as beside, beside.open("w", encoding="utf-8") as file:
        members = [f"{encode(key)}: {encode(value)}" for key, value in head.items()]
        file.write("{\n" + ",\n".join(members))
        for i, (key, entries) in enumerate(lists.items()):
            file.write(("" if i == 0 and not head else ",\n") + f"{encode(key)}: [")
            for number, entry in enumerate(entries):
                file.write((",\n" if number else "\n") + encode(entry))
            file.write("\n]")
        file.write("\n}\n")


def read_json(
    path: Path,
    expected: str,
    *,
    max_bytes: int | None = None,
    reduce: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Any:
    """The content of a JSON file that strangers made; `expected` says in messages what it should be.

    `reduce` gets each object as soon as it is read, and gives what to keep of it.

    Raises:
        FormatError: over `max_bytes` (MAX_JSON_BYTES where it is None), not UTF-8, not JSON, nested too deeply, or
            made of lists and objects with next to nothing in them, which would take many times its size of memory.
    """
    size, limit = path.stat().st_size, MAX_JSON_BYTES if max_bytes is None else max_bytes
    if size > limit:
        raise FormatError(f"{path}: {size} bytes; at most {limit} are read: split the file; expected {expected}")
    try:
        text = read_small(path, limit, expected).decode("utf-8-sig")
        containers = text.count("{") + text.count("[")
        if containers > max(_MANY_CONTAINERS, len(text) // _MIN_BYTES_A_CONTAINER):
            raise FormatError(f"{path}: {containers} lists and objects, nearly all of them empty; expected {expected}")
        return json.loads(text, object_hook=reduce)
    except RecursionError as error:
        raise FormatError(f"{path}: nested too deeply; expected {expected}") from error
    # Not only a JSONDecodeError: Python refuses to make a number of thousands of digits with a plain ValueError.
    except ValueError as error:
        raise FormatError(f"{path}: not a JSON file ({error}); expected {expected}") from error


def read_small(path: Path, max_bytes: int, what: str) -> bytes:
    """The content of a file that strangers made; `what` it should be, for messages.

    Raises:
        FormatError: over `max_bytes`, missing, a broken link, or not a plain file: reading a pipe may never end.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise FormatError(f"{path}: a pipe, a device or a folder; {what} is a plain file")
        if facts.st_size > max_bytes:
            raise FormatError(f"{path}: {facts.st_size} bytes; {what} has at most {max_bytes}")
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from error


def relative_to_here(path: Path) -> str:
    """`path` as files and messages name it: relative to the working directory, with forward slashes."""
    return Path(os.path.relpath(path)).as_posix()


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(f".{_partial_stem(path.name)}.{os.getpid()}.partial")


def _partial_stem(name: str) -> str:
    """`name`, or a hash of it where a partial file called after it would have too long a name."""
    content = os.fsencode(name)
    return name if len(content) + _PARTIAL_BYTES <= LONGEST_NAME_BYTES else hashlib.sha256(content).hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
