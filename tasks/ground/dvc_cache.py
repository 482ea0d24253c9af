"""What DVC's cache holds of the results that dvc.lock names.

DVC goes on when a result could not be stored (`failed to transfer`, most often a full disk): it ends with 0, and
dvc.lock names a result that is nowhere but in the workspace. Nor does it read the files in its cache again.
A file with the MD5 abcd... lies in the cache as files/md5/ab/cd...; the list of a folder's files ends with `.dir`
(dvc.org/doc/user-guide/project-structure/internal-files).
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.errors import PipelineError
from tasks.ground.dvc_yaml import entries, read_mapping, resolved, stages_of

_FOLDER = ".dir"
_MAX_LISTED = 5


@dataclass(frozen=True)
class StoredFile:
    """One file that the cache should hold.

    Attributes:
        stage: the stage whose result it is of.
        path: its place in the workspace, relative to the project's folder.
        md5: hexadecimal; with `.dir` for the list of a folder.
        file: its place in the cache.
    """

    stage: str
    path: str
    md5: str
    file: Path

    def is_whole(self) -> bool:
        """Whether the content has the MD5 that the file is named after."""
        with self.file.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest() == self.md5.removesuffix(_FOLDER)


def cache_folder(root: Path = Path()) -> Path:
    """The cache of the project in `root`.

    Raises:
        PipelineError: DVC does not say where.
    """
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "cache", "dir"], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PipelineError(f"{root}: dvc cache dir failed: {done.stderr.strip()}")
    return root / done.stdout.strip()


def stored_files(cache: Path, root: Path = Path()) -> Iterator[StoredFile]:
    """Every file of every result in dvc.lock, but for those that dvc.yaml keeps out of the cache.

    Of a folder whose list is missing or damaged there is the list alone.

    Raises:
        PipelineError: dvc.yaml, params.yaml or dvc.lock cannot be read.
    """
    try:
        stages, params = stages_of(read_mapping(root / "dvc.yaml")), read_mapping(root / "params.yaml")
        locked = stages_of(read_mapping(root / "dvc.lock"))
    except ValueError as error:
        raise PipelineError(f"{error}; run `make run` first, or restore the file from git") from error
    for name, lock in locked.items():
        uncached = {
            path.as_posix()
            for key in ("outs", "metrics", "plots")
            for out, settings in entries(stages.get(name, {}), key)
            if settings.get("cache") is False and (path := resolved(out, params)) is not None
        }
        for result, md5 in locked_outputs(lock):
            if result not in uncached:
                yield from files_of_output(name, result, md5, cache)


def locked_outputs(stage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and MD5 of each result of a stage of dvc.lock."""
    return _locked(stage, "outs")


def locked_dependencies(stage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and MD5 of each file and folder that a stage of dvc.lock depends on."""
    return _locked(stage, "deps")


def _locked(stage: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    listed = stage.get(key)
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("md5"), str):
            yield str(entry.get("path")), entry["md5"]


def files_of_output(stage: str, path: str, md5: str, cache: Path) -> Iterator[StoredFile]:
    """The file of the result `path` with this MD5; for a folder its list, then, where that is whole, its files."""
    whole = StoredFile(stage, path, md5, cache / "files" / "md5" / md5[:2] / md5[2:])
    yield whole
    if md5.endswith(_FOLDER) and whole.file.is_file() and whole.is_whole():
        for entry in json.loads(whole.file.read_text(encoding="utf-8")):
            its = entry["md5"]
            yield StoredFile(stage, f"{path}/{entry['relpath']}", its, cache / "files" / "md5" / its[:2] / its[2:])


def missing_files(cache: Path, root: Path = Path()) -> list[StoredFile]:
    """Those of `stored_files` that the cache does not hold."""
    return [each for each in stored_files(cache, root) if not each.file.is_file()]


def missing_text(missing: Sequence[StoredFile], folder: Path) -> str:
    """The message where results are not in the cache `folder`: which, and what to do."""
    stages = " ".join(dict.fromkeys(each.stage for each in missing))
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free / 1e6
    return (
        f"{folder}: DVC did not store {len(missing)} files of the results of {stages}: {listed_paths(missing)}; "
        f"{free:.0f} MB are free there. Make room (or see who may write there), then `dvc commit -f {stages}` stores "
        "what is in the workspace; else the next run makes it again"
    )


def listed_paths(files: Sequence[StoredFile]) -> str:
    """The first of the files by their place in the workspace, and how many more."""
    more = f" and {len(files) - _MAX_LISTED} more" if len(files) > _MAX_LISTED else ""
    return ", ".join(each.path for each in files[:_MAX_LISTED]) + more
