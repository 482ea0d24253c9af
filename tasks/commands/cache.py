"""Checking that DVC's cache holds every result: DVC itself ends well where a full disk kept it from storing one."""

from collections.abc import Iterator, Sequence

from tqdm import tqdm

from tasks.errors import PipelineError
from tasks.ground.dvc_cache import StoredFile, cache_folder, listed_paths, missing_files, missing_text, stored_files
from tasks.ground.text import print_text

_MAX_LISTED = 5


def cache(*, verify: bool) -> None:
    """Look for every file of every result of dvc.lock in the cache; with `verify` read each and compare its MD5.

    Raises:
        PipelineError: a result is missing or damaged there; or dvc.lock cannot be read.
    """
    folder = cache_folder()
    missing = missing_files(folder)
    if missing:
        raise PipelineError(missing_text(missing, folder))
    files = list({each.file: each for each in stored_files(folder)}.values())
    damaged = list(_damaged(files)) if verify else []
    if damaged:
        raise PipelineError(_damaged_text(damaged))
    print_text(f"{folder}: holds all {len(files)} files of the results{', each with its MD5' if verify else ''}")


def _damaged(files: Sequence[StoredFile]) -> Iterator[StoredFile]:
    for each in tqdm(files, desc="cache", unit="file"):
        if not each.is_whole():
            yield each


def _damaged_text(damaged: Sequence[StoredFile]) -> str:
    files = ", ".join(str(each.file) for each in damaged[:_MAX_LISTED])
    stages = " ".join(dict.fromkeys(each.stage for each in damaged))
    return (
        f"{len(damaged)} files in the cache are damaged: {listed_paths(damaged)} (in the cache {files}). "
        f"Delete them there; then `dvc fetch` gets them from a remote, or `dvc repro -f -s {stages}` makes them again"
    )
