"""The page's pictures: as many and as large as fit into a page that can be sent by mail."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import FormatError
from tasks.images.drawing import Thumbnail, thumbnail
from tasks.metrics.matching import match_detections
from tasks.report_page import gallery
from tasks.report_page.outcomes import outcomes

if TYPE_CHECKING:
    from tasks.params import ReportParams

# For all pictures, with a margin for the page's tables and curves: people send it by mail.
MOST_PAGE_BYTES = 9_000_000
# A box in the gallery with its name, and a picture's text around it.
_MARK_BYTES = 450
# Bytes of a page for a byte of a picture in base64.
_AS_TEXT = 4 / 3
_LEAST_SIDE_PX = 96


def gallery_shots(
    params: "ReportParams",
    take: Callable[[Path, int], Thumbnail | str],
    test: Dataset,
    found: list[Detections],
    colours: Mapping[str, str],
    most_bytes: int,
) -> list[gallery.Shot]:
    """The gallery's pictures; they take at most `most_bytes` of the page, boxes included, as far as that can be."""
    chosen = gallery.spread(len(test.images), params.gallery_images)
    outcome = outcomes(test, found, match_detections(test, found))
    marks = sum(1 + len(test.images[i].classes) + len(found[i].above(params.score_threshold).classes) for i in chosen)
    paths = [test.image_path(test.images[i]) for i in chosen]
    jpegs = _pictures(paths, params.thumbnail_px, take, int((most_bytes - marks * _MARK_BYTES) / _AS_TEXT))
    shots = [
        gallery.shot_of(test.images[i], found[i], outcome[i], colours, jpeg, params.score_threshold)
        for i, jpeg in zip(chosen, jpegs, strict=True)
    ]
    return sorted(shots, key=lambda shot: -(shot.missed + shot.false))


def _pictures(
    paths: list[Path], side_px: int, take: Callable[[Path, int], Thumbnail | str], most_bytes: int
) -> list[bytes | None]:
    """A small JPEG of each image, None where it cannot be read; made smaller until all fit into `most_bytes`."""
    while True:
        pictures = [take(path, side_px) for path in tqdm(paths, desc="gallery", unit="image", disable=not paths)]
        jpegs = [None if isinstance(picture, str) else picture.jpeg for picture in pictures]
        total = sum(len(jpeg) for jpeg in jpegs if jpeg is not None)
        if total <= most_bytes or side_px <= _LEAST_SIDE_PX:
            return jpegs
        # A small picture has more bytes a pixel than a large one, so what would fit by area is not small enough.
        side_px = max(_LEAST_SIDE_PX, int(side_px * 0.95 * (max(most_bytes, 1) / total) ** 0.5))


def small_picture(path: Path, max_side_px: int, max_megapixels: float) -> Thumbnail | str:
    """A small picture, or why there is none: the gate refused the image, or it was removed or damaged since."""
    try:
        return thumbnail(path, max_side_px, max_megapixels=max_megapixels)
    except FormatError as error:
        return str(error).removeprefix(f"{path}: ")
