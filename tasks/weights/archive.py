"""Extracting files from a .tar.gz that somebody else made: no member of it is trusted."""

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from tasks.errors import CheckpointError

# The zoo's largest archives are near 1 GB unpacked and hold about ten members.
MAX_BYTES = 4 * 1024**3
MAX_MEMBERS = 10_000
_MAX_HEADER_BYTES = 64 * 1024
_MAX_PADDING_BYTES = 1024**2
_LONG_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def extract(
    archive: Path,
    into: Path,
    wanted: Callable[[PurePosixPath], bool],
    *,
    max_bytes: int = MAX_BYTES,
    max_members: int = MAX_MEMBERS,
) -> list[Path]:
    """Write the members that are `wanted` below the folder `into`; return their paths in the archive's order.

    Owners, modes and times are not copied. One bad member, wanted or not, and the whole archive is refused.

    Raises:
        CheckpointError: not a .tar.gz, or broken; a member that leaves the folder, is a link or a device, or occurs
            twice; more than `max_bytes` or `max_members` in it.
    """
    written: list[Path] = []
    total = 0
    try:
        with gzip.open(archive) as unpacked, tarfile.open(fileobj=unpacked, mode="r|", tarinfo=_ShortHeaders) as tar:
            for count, member in enumerate(tar, start=1):
                path = _checked_path(member, archive)
                total += member.size
                if count > max_members or total > max_bytes:
                    raise CheckpointError(
                        f"{archive}: more than {max_members} members or {max_bytes} bytes in it; refused, because "
                        "no checkpoint is that large"
                    )
                if member.isreg() and wanted(path):
                    written.append(_write(tar, member, into / path, archive))
            _read_to_the_end(unpacked)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CheckpointError(f"{archive}: broken, or not a .tar.gz ({error}); get it again") from error
    return written


def _read_to_the_end(unpacked: gzip.GzipFile) -> None:
    """Read to the checksum, which is the end of a .gz; tar archives are padded with at most 10 kB of zeros."""
    if len(unpacked.read(_MAX_PADDING_BYTES)) == _MAX_PADDING_BYTES:
        raise tarfile.ReadError("too many bytes after its last member")


class _ShortHeaders(tarfile.TarInfo):
    """Refuses long names and extended headers: tarfile reads them into memory before it gives out the member."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_ShortHeaders":
        header = super().frombuf(buf, encoding, errors)
        if header.type in _LONG_HEADERS and header.size > _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {header.size} bytes")
        return header


def _checked_path(member: tarfile.TarInfo, archive: Path) -> PurePosixPath:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or any(character in member.name for character in "\\:\0"):
        raise CheckpointError(f"{archive}: member {member.name!r} would be written outside its folder; archive refused")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise CheckpointError(
            f"{archive}: member {member.name!r} is neither a plain file nor a folder; archive refused"
        )
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, archive: Path) -> Path:
    source: IO[bytes] | None = tar.extractfile(member)
    if source is None or os.path.lexists(target):
        raise CheckpointError(f"{archive}: member {member.name!r} occurs twice; archive refused")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise CheckpointError(
            f"{archive}: member {member.name!r} lies below another member, which is a file; archive refused"
        ) from error
    with target.open("xb") as file:
        shutil.copyfileobj(source, file)
    return target
