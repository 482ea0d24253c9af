r"""The ledger of `predict-folder`: which photos were detected in, by name and by content; a line of JSON for each.

It is appended to, and what is written is on the disk before `add` returns. The last line of a killed process may be a
part of one, and is removed. Names are relative to the folder of photos; bytes of a name that are no text are kept (as
`\udcXX`). A later line of one name replaces an earlier one.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from tasks.errors import DataError, FormatError
from tasks.ground.files import MAX_JSON_BYTES, read_small, replacing

LEDGER = "predict-folder.jsonl"
_LONGEST_LINE = 1_000_000
# Lines that later ones replaced: more than this and more than the others, and the file is written anew.
_MANY_REPLACED = 1000
_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Stamp(NamedTuple):
    """By what a file is taken for unchanged without reading it; any write changes the last, whatever the tool sets."""

    size: int
    mtime_ns: int
    ctime_ns: int


class Made(NamedTuple):
    """What a result was made with.

    Attributes:
        model: see `model_checksum`.
        score_threshold: the lowest score of its boxes.
        drawn: whether there is a picture with the boxes.
    """

    model: str
    score_threshold: Annotated[float, Field(ge=0.0, le=1.0)]
    drawn: bool


def _own_name(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("expected the name of a photo")
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("the name leads out of the folder")
    return value


class Entry(BaseModel):
    """What is known of one photo.

    Attributes:
        name: its path relative to the folder of photos, with forward slashes.
        sha256: of its content.
        stamp: of the file when its content was read.
        made: what its result was made with; None where it has none.
        boxes: how many boxes of each class are in its result.
        unreadable: why it has no result; None where it has one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # pydantic's own strings refuse bytes that are no text.
    name: Annotated[str, PlainValidator(_own_name)]
    sha256: _Hash
    stamp: Stamp
    made: Made | None = None
    boxes: dict[str, Annotated[int, Field(ge=0)]] = {}
    unreadable: str | None = None


class Ledger:
    """What was done. For the one process that may write into the folder."""

    def __init__(self, out: Path, photos: Path) -> None:
        """Read the ledger in the folder `out` of the folder `photos`; a missing one is begun.

        Raises:
            DataError: it is of other photos, or a line is none of a ledger.
        """
        self.path = out / LEDGER
        self._entries: dict[str, Entry] = {}
        self._names: dict[str, dict[str, None]] = {}
        # Relative, so that both can be moved together.
        self._head = {"photos": os.path.relpath(photos.resolve(), out.resolve())}
        lines = self._read()
        if not lines:
            _append(self.path, [self._head])
            return
        self._check_head(lines[0])
        for number, line in enumerate(lines[1:], start=2):
            self._take(self._entry(line, number))
        if len(lines) - len(self._entries) > max(_MANY_REPLACED, len(self._entries)):
            self._write_anew()

    def get(self, name: str) -> Entry | None:
        """What is known of the photo that was last called `name`."""
        return self._entries.get(name)

    def results_of(self, sha256: str) -> Iterator[Entry]:
        """The photos of this content that have a result."""
        for name in self._names.get(sha256, ()):
            entry = self._entries[name]
            if entry.sha256 == sha256 and entry.made is not None:
                yield entry

    def add(self, entries: Iterable[Entry]) -> None:
        """Take `entries` down; they are on the disk when this returns."""
        new = list(entries)
        if new:
            _append(self.path, [entry.model_dump(exclude_defaults=True) for entry in new])
        for entry in new:
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        self._entries[entry.name] = entry
        self._names.setdefault(entry.sha256, {})[entry.name] = None

    def _read(self) -> list[bytes]:
        if not self.path.exists():
            return []
        content = read_small(self.path, MAX_JSON_BYTES, "a ledger")
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)
        return content[:whole].splitlines()

    def _check_head(self, line: bytes) -> None:
        head = self._parsed(line, 1)
        if head != self._head:
            photos = head.get("photos") if isinstance(head, dict) else None
            raise DataError(
                f"{self.path}: the results here are of the photos in {photos!r} (seen from there), "
                f"not in {self._head['photos']!r}: name another folder with --out, or, if the photos were moved, "
                "write the new path into its first line"
            )

    def _entry(self, line: bytes, number: int) -> Entry:
        try:
            return Entry.model_validate(self._parsed(line, number))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise self._broken(number, f"{where}: {first['msg']}") from error

    def _parsed(self, line: bytes, number: int) -> Any:
        if len(line) > _LONGEST_LINE:
            raise self._broken(number, f"{len(line)} bytes")
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._broken(number, str(error)) from error

    def _broken(self, number: int, why: str) -> FormatError:
        return FormatError(
            f"{self.path}: line {number} is not one that predict-folder writes ({why}): remove the "
            "line; the results that are there are taken up again by their content"
        )

    def _write_anew(self) -> None:
        with replacing(self.path) as beside:
            _append(beside, [self._head, *(each.model_dump(exclude_defaults=True) for each in self._entries.values())])


def stamp_of(path: Path) -> Stamp | None:
    """The stamp of the file at `path`; None where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return Stamp(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def _append(path: Path, lines: Iterable[object]) -> None:
    # Escaped: a name may hold bytes that UTF-8 cannot.
    text = "".join(json.dumps(line, ensure_ascii=True, allow_nan=False) + "\n" for line in lines)
    with path.open("ab") as file:
        file.write(text.encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
