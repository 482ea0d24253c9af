"""The page's pictures: as many and as large as fit into a page that can be sent by mail."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import FormatError
from tasks.images.drawing import Thumbnail, thumbnail
from tasks.metrics.coco import matched
from tasks.report_page import gallery
from tasks.report_page.outcomes import outcomes

if TYPE_CHECKING:
    from tasks.params import ReportParams

# Of the page, with a margin for its tables and curves: people send it by mail.
MOST_PAGE_BYTES = 9_000_000


# A box in the gallery with its name, and a picture's text around it.
_MARK_BYTES = 450


_AS_TEXT = 4 / 3


_LEAST_SIDE_PX = 96


def gallery_shots(
    params: "ReportParams",
    take: Callable[[Path, int], Thumbnail | str],
    test: Dataset,
    found: list[Detections],
    colours: Mapping[str, str],
    room: int,
) -> list[gallery.Shot]:
    """The gallery's pictures, which take at most `room` bytes of the page, boxes included, as far as that can be."""
    chosen = gallery.spread(len(test.images), params.gallery_images)
    outcome = outcomes(test, found, matched(test, found))
    marks = sum(1 + len(test.images[i].classes) + len(found[i].above(params.score_threshold).classes) for i in chosen)
    paths = [test.image_path(test.images[i]) for i in chosen]
    jpegs = _pictures(paths, params.thumbnail_px, take, int((room - marks * _MARK_BYTES) / _AS_TEXT))
    shots = [
        gallery.shot(test.images[i], found[i], outcome[i], colours, jpeg, params.score_threshold)
        for i, jpeg in zip(chosen, jpegs, strict=True)
    ]
    return sorted(shots, key=lambda shot: -(shot.missed + shot.false))


def _pictures(
    paths: list[Path], side_px: int, take: Callable[[Path, int], Thumbnail | str], room: int
) -> list[bytes | None]:
    """A small JPEG of each image, None of those that cannot be read; smaller until all of them fit into `room`."""
    while True:
        taken = [take(path, side_px) for path in tqdm(paths, desc="gallery", unit="image", disable=not paths)]
        jpegs = [None if isinstance(picture, str) else picture.jpeg for picture in taken]
        total = sum(len(jpeg) for jpeg in jpegs if jpeg is not None)
        if total <= room or side_px <= _LEAST_SIDE_PX:
            return jpegs
        # A small picture has more bytes a pixel than a large one, so what would fit by area is not small enough.
        side_px = max(_LEAST_SIDE_PX, int(side_px * 0.95 * (max(room, 1) / total) ** 0.5))


def small_picture(path: Path, max_side_px: int, max_megapixels: float) -> Thumbnail | str:
    """A small picture, or why there is none: an image that the gate refused, or that has gone or broken since."""
    try:
        return thumbnail(path, max_side_px, max_megapixels=max_megapixels)
    except FormatError as error:
        return str(error).removeprefix(f"{path}: ")
