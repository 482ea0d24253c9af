"""Archives given as `checkpoint.source`, with members that no checkpoint has."""

import gzip
import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

from tests.malformed.case import Case

REFUSED = "refused by checkpoint"
_ZERO_PIECE = 1024**2
_NOISE = random.Random(1).randbytes(50_000)  # noqa: S311


def _member(name: str, content: bytes = b"x", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in changes.items():
        setattr(member, key, value)
    return member, content


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


_WHOLE = (_member("checkpoint/ckpt-0.index"), _member("checkpoint/ckpt-0.data-00000-of-00001"))


def _bomb() -> bytes:
    """A header that promises 5 GB of zeros, and a good part of them."""
    member = tarfile.TarInfo("checkpoint/ckpt-0.index")
    member.size = 5 * 1024**3
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=1) as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            file.write(bytes(_ZERO_PIECE))
    return buffer.getvalue()


def _archive(name: str, content: Callable[[], bytes]) -> Case:
    def make(folder: Path) -> None:
        (folder / "zoo.tar.gz").write_bytes(content())

    return Case(name, "archives", make, REFUSED, ("checkpoint",), params={"checkpoint": {"source": "zoo.tar.gz"}})


def _hostile(name: str, *members: tuple[tarfile.TarInfo, bytes]) -> Case:
    return _archive(name, lambda: _tar(*_WHOLE, *members))


CASES = [
    _hostile("climbs-out", _member("../../pipeline.config")),
    _hostile("absolute", _member("/etc/pipeline.config")),
    _hostile("windows-drive", _member("C:\\pipeline.config")),
    _hostile("a-link", _member("pipeline.config", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    _hostile("a-hard-link", _member("pipeline.config", b"", type=tarfile.LNKTYPE, linkname="../../etc/passwd")),
    _hostile("a-device", _member("pipeline.config", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5)),
    _hostile("a-pipe", _member("pipeline.config", b"", type=tarfile.FIFOTYPE)),
    _hostile("a-member-twice", _member("checkpoint/ckpt-0.index")),
    _hostile("a-folder-where-a-file-is", _member("checkpoint/ckpt-0.index/ckpt-1.index")),
    _hostile("a-name-with-an-escape", _member("../\x1b[2J\u202e")),
    _archive("too-many-members", lambda: _tar(*(_member(f"m{i}", b"") for i in range(10_001)))),
    _archive("bomb", _bomb),
    _archive("truncated", lambda: _tar(_member("checkpoint/ckpt-0.index", _NOISE))[:-20_000]),
    _archive(
        "flipped-bytes",
        lambda: (t := _tar(_member("checkpoint/ckpt-0.index", bytes(50_000))))[:60] + b"\xff" * 9 + t[69:],
    ),
    _archive("without-its-last-bytes", lambda: _tar(*_WHOLE)[:-5]),
    _archive("with-another-checksum", lambda: _tar(*_WHOLE)[:-8] + bytes(8)),
    _archive("much-behind-its-end", lambda: _tar(*_WHOLE) + gzip.compress(bytes(9_000_000))),
    _archive("not-gzip", lambda: b"PK\x03\x04 this is a zip\n"),
    _archive("gzip-of-noise", lambda: gzip.compress(b"\xff" * 2000)),
    _archive("empty", lambda: b""),
    _archive("no-members", _tar),
    _archive("half-a-checkpoint", lambda: _tar(_member("checkpoint/ckpt-0.index"))),
    _archive("a-broken-description", lambda: _tar(_member("base.json", b'{"kind": [], "model": 1}'))),
    _archive("a-deep-description", lambda: _tar(_member("base.json", b"[" * 200_000))),
    _archive(
        "a-description-of-another-kind",
        lambda: _tar(_member("base.json", b'{"kind": "../../x", "model": 1, "origin": 1, "sha256": 1, "licence": 1}')),
    ),
]
