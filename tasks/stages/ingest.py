"""Stage ingest: whatever format the annotations come in, one COCO JSON file goes on.

No pixel is decoded here: where a format gives boxes as fractions of the image's size, the image's header is read. Each
image file's content is hashed, so that later stages notice when it changes. Every record that could not be read, and
every image without its other half, is listed in the file's `problems`.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import Dataset
from tasks.dataset.problem_kinds import dropped_images
from tasks.errors import DataError
from tasks.formats.gather import gather, relative_to_here
from tasks.ground.text import quoted, tell
from tasks.images.image_finder import lexically_absolute

if TYPE_CHECKING:
    from tasks.params import IngestParams


def ingest(params: "IngestParams", *, ingested: Path) -> dict[str, Any]:
    """Read the annotations, find their images, write both as COCO JSON to `ingested`.

    Raises:
        DataError: `ingest.source` is not what a format expects, or no usable image is left.
    """
    gathered = gather(params)
    # Ids that do not depend on what the source happened to declare: two forms of the same data give the same classes.
    dataset = replace(gathered, classes=tuple(sorted({name for image in gathered.images for name in image.classes})))
    _tell_if_unwatched(dataset, params)
    _write(dataset, ingested)
    return {
        "images": len(dataset.images),
        "boxes": sum(dataset.box_counts().values()),
        "classes": len(dataset.classes),
        "dropped_images": dropped_images(dataset.problems),
        "problems": len(dataset.problems),
    }


def _write(dataset: Dataset, path: Path) -> None:
    try:
        write_coco(dataset, path)
    except UnicodeEncodeError as error:
        text, at = error.object, error.start
        name = text[text.rfind('"', 0, at) + 1 : text.find('"', at)]
        raise DataError(f"{quoted(name)}: the name of a file, a folder or a class is not UTF-8; rename it") from error


def _tell_if_unwatched(dataset: Dataset, params: "IngestParams") -> None:
    paths = [lexically_absolute(dataset.image_path(image)) for image in dataset.images]
    watched = [lexically_absolute(folder) for folder in (params.source, params.images)]
    folders = {path.parent for path in paths if not any(path.is_relative_to(folder) for folder in watched)}
    if folders:
        common = relative_to_here(Path(os.path.commonpath(folders)))
        tell(f"note: images were found in {common}, which DVC does not watch: set ingest.images: {common}")
