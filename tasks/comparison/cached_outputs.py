"""A result of a commit, copied straight from DVC's cache: `dvc get` takes a second for each, most of it to start."""

import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.ground.dvc_cache import StoredFile, files_of_output, locked_outputs

CACHE = Path(".dvc/cache")


def copy_from_cache(root: Path, lock: Any, path: PurePosixPath, target: Path) -> bool:
    """Copy the result `path`, as the content `lock` of a dvc.lock names it, to `target`; whether it is there, whole.

    Only the cache in the project's folder `root` is looked at. Nothing is written where a file of it is missing,
    damaged, or would lie outside `target`.
    """
    md5 = _md5_of(lock, path.as_posix())
    if md5 is None:
        return False
    try:
        listed = list(files_of_output("", path.as_posix(), md5, root / CACHE))
        files = listed[1:] if md5.endswith(".dir") else listed
        if not (listed[0].file.is_file() and listed[0].is_whole() and all(_is_usable(each, path) for each in files)):
            return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    for each in files:
        place = target / PurePosixPath(each.path).relative_to(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(each.file, place)
    return bool(files)


def _is_usable(stored: StoredFile, path: PurePosixPath) -> bool:
    inside = PurePosixPath(stored.path)
    return ".." not in inside.parts and inside.is_relative_to(path) and stored.file.is_file() and stored.is_whole()


def _md5_of(lock: Any, path: str) -> str | None:
    stages = lock.get("stages") if isinstance(lock, dict) else None
    for stage in stages.values() if isinstance(stages, dict) else []:
        for out, md5 in locked_outputs(stage) if isinstance(stage, dict) else ():
            if out == path:
                return md5
    return None
