"""Stage ingest: whatever format the annotations come in, one COCO JSON file goes on.

No pixel is decoded here: where a format gives boxes as fractions of the image's size, the image's header is read. Each
image file's content is hashed, so that later stages notice when it changes. Every record that could not be read, and
every image without its other half, is listed in the file's `problems`.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.dataset.coco_json import write_coco
from tasks.dataset.problem_kinds import dropped_images
from tasks.formats.gather import gather, unwatched_folder
from tasks.ground.text import composed, print_text

if TYPE_CHECKING:
    from tasks.params import IngestParams


def ingest(params: "IngestParams", *, ingested: Path) -> dict[str, int]:
    """Read the annotations, find their images, write both as COCO JSON to `ingested`.

    Raises:
        DataError: `ingest.source` is not what a format expects, no usable image is left, or a name is not UTF-8.
    """
    gathered = gather(params)
    # Ids that do not depend on what the source happened to declare: two forms of the same data give the same classes.
    dataset = replace(
        gathered, classes=tuple(sorted({name for image in gathered.images for name in image.classes}, key=composed))
    )
    folder = unwatched_folder(dataset, params)
    if folder:
        print_text(f"note: images were found in {folder}, which DVC does not watch: set ingest.images: {folder}")
    write_coco(dataset, ingested)
    return {
        "images": len(dataset.images),
        "boxes": sum(dataset.box_counts().values()),
        "classes": len(dataset.classes),
        "dropped_images": dropped_images(dataset.problems),
        "problems": len(dataset.problems),
    }
