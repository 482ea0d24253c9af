"""The photos of a run, for a folder in which its results are measured again: each with the content that the run had.

They are links: to the file where the run had it, else to DVC's cache where the folder of the photos is tracked there.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.comparison.cached_outputs import CACHE
from tasks.comparison.run import locked_stages
from tasks.comparison.run_data import RunData
from tasks.dataset.dataset import AnnotatedImage
from tasks.errors import DataError
from tasks.ground.dvc_cache import files_of_output, locked_dependencies
from tasks.ground.files import sha256_of
from tasks.ground.text import printable

_NAMED = 3


def levels_up(root: Path) -> int:
    """How many folders above the project's the images' folder begins: 1 for `../photos`."""
    return Path(os.path.normpath(root)).parts.count("..")


def link_photos(data: RunData, root: Path, project: Path, folder: Path) -> None:
    """Link every photo of `data` to where the stages look for it.

    Args:
        data: the images of a run.
        root: the project in which the run was found.
        project: the folder in which stages will run.
        folder: holds all that may be written; `project` lies `levels_up` folders deep in it, or deeper.

    Raises:
        DataError: photos are missing or have other content now, or a name leads out of `folder`.
    """
    cached = _cached_photos(data, root)
    missing = []
    for image in data.images:
        place = project / data.root / image.file_name
        if data.root.is_absolute():
            found = place if _has_content(place, image) else None
        else:
            candidates = [data.run.photos / data.root / image.file_name, *cached.get(_name(data, image), [])]
            found = next((path for path in candidates if _has_content(path, image)), None)
        if found is None:
            missing.append(image.file_name)
        elif not data.root.is_absolute():
            _link(found, place, folder)
    if missing:
        named = ", ".join(map(printable, missing[:_NAMED])) + (", ..." if len(missing) > _NAMED else "")
        raise DataError(
            f"{len(missing)} of the {len(data.images)} photos of {data.run.name} are not here as they were ({named}): "
            f"bring them back to {data.run.photos / data.root}, or track the folder with `dvc add` so that the cache "
            "keeps each version; or give a clone that has them in place of the revision's name"
        )


def _link(found: Path, place: Path, folder: Path) -> None:
    place = Path(os.path.normpath(place))
    if not place.is_relative_to(Path(os.path.normpath(folder))):
        raise DataError(f"{printable(place.name)}: an image whose name leads out of the folder of the images")
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        place.unlink()
    if place.exists():
        raise DataError(f"{place}: an image of that name would stand in place of a file of the project: rename it")
    place.symlink_to(found.absolute())


def _has_content(path: Path, image: AnnotatedImage) -> bool:
    try:
        return path.is_file() and sha256_of(path) == image.sha256
    except OSError:
        return False


def _name(data: RunData, image: AnnotatedImage) -> str:
    return PurePosixPath(os.path.normpath(data.root / image.file_name)).as_posix()


def _cached_photos(data: RunData, root: Path) -> dict[str, list[Path]]:
    """Places in DVC's cache by the path of the photo, as the stage `ingest` had them."""
    found: dict[str, list[Path]] = {}
    for path, file in _files(locked_stages(data.run).get("ingest", {}), root / CACHE):
        found.setdefault(os.path.normpath(path), []).append(file)
    return found


def _files(stage: Mapping[str, Any], cache: Path) -> Iterator[tuple[str, Path]]:
    for path, md5 in locked_dependencies(stage):
        try:
            yield from ((each.path, each.file) for each in files_of_output("ingest", path, md5, cache))
        except (OSError, ValueError, KeyError, TypeError):
            continue
