"""SHA256SUMS of an exported model: a line `<hex SHA-256>  <path>` for each file, as `sha256sum -c` reads them."""

import hashlib
import re
from pathlib import Path

from tasks.errors import CheckpointError, FormatError
from tasks.ground.files import read_small, sha256_of
from tasks.ground.walk import files_below

CHECKSUMS = "SHA256SUMS"
_MAX_BYTES = 10_000_000
# sha256sum puts a `*` before the name of a file that it read in binary mode.
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS of every file below `folder` into it."""
    (folder / CHECKSUMS).write_text(_lines(folder), encoding="utf-8")


def model_checksum(model: Path) -> str:
    """Hex SHA-256 that tells one model from another: of its SHA256SUMS, or of what it would hold where it is missing.

    `model` may also be a single file: then it is that of its content.
    """
    if model.is_file():
        return sha256_of(model)
    sums = model / CHECKSUMS
    return (
        sha256_of(sums)
        if sums.is_file()
        else hashlib.sha256(_lines(model).encode(errors="surrogateescape")).hexdigest()
    )


def _lines(folder: Path) -> str:
    files = [file for file in files_below(folder) if file.name != CHECKSUMS]
    return "".join(f"{sha256_of(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)


def check_checksums(folder: Path, *parts: str) -> None:
    """Compare the files of `parts`, which are files or folders in `folder`, with its SHA256SUMS, if it has one.

    Raises:
        CheckpointError: a file has another content, is missing, or is not listed; or the list is no such list.
    """
    file = folder / CHECKSUMS
    if not file.exists():
        return
    sums = _read(file)
    present = {
        path.relative_to(folder).as_posix()
        for part in parts
        for path in (files_below(folder / part) if (folder / part).is_dir() else [folder / part])
    }
    listed = {name for name in sums if any(name == part or name.startswith(f"{part}/") for part in parts)}
    for name in sorted(present | listed):
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{path}: missing, but {file} lists it; {_REMEDY}")
        if name not in sums:
            raise CheckpointError(f"{path}: not in {file}, so it is not as it was exported; {_REMEDY}")
        if sha256_of(path) != sums[name]:
            raise CheckpointError(f"{path}: damaged or changed: its SHA-256 is not that in {file}; {_REMEDY}")


_REMEDY = (
    "fetch the model again; of one of this project, `python -m tasks cache --verify` says whether DVC's copy is "
    "damaged, and `dvc repro -f -s export` makes it anew. Delete the list if you changed the model yourself"
)


def _read(file: Path) -> dict[str, str]:
    try:
        lines = read_small(file, _MAX_BYTES, "a list of checksums").decode("utf-8").splitlines()
    except (FormatError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{file}: not a list of checksums: {error}; {_REMEDY}") from error
    matches = [_LINE.fullmatch(line) for line in lines]
    if not matches or None in matches:
        raise CheckpointError(f"{file}: not a list of checksums, as `sha256sum` writes it; {_REMEDY}")
    return {match[2]: match[1] for match in matches if match is not None}
