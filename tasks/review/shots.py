"""The pictures of the page: for each suspect a cut-out of its image, with the label and what is seen there."""

import base64
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from tasks.artifacts.review import FoundSuspect
from tasks.dataset.boxes import Corners, corners
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.errors import FormatError
from tasks.ground.files import sha256_of
from tasks.images.image_file import open_image
from tasks.images.rgb import as_rgb
from tasks.review.kept import kept_of

_PICTURE_PX, _QUALITY = 440, 80
# Of the longer side of what is shown, on every side; and the least that is shown, as a share of the image.
_MARGIN, _LEAST_SHARE = 0.6, 0.15
_WIDTH_TO_HEIGHT = 4 / 3
_MOST_OTHERS = 60


@dataclass(frozen=True)
class ShownBox:
    """A box in pixels of the image; its role is `label`, `seen` or `other`; an empty name is not shown."""

    x: float
    y: float
    width: float
    height: float
    name: str
    role: str


@dataclass(frozen=True)
class Shot:
    """A suspect on the page.

    Attributes:
        suspect: what is shown.
        kept: JSON of what the page saves where the label is right.
        picture: a JPEG in Base64, empty where there is none.
        left, top, width, height: the part of the image that it shows, in pixels.
        boxes: drawn over it.
    """

    suspect: FoundSuspect
    kept: str
    picture: str
    left: int
    top: int
    width: int
    height: int
    boxes: list[ShownBox]

    @property
    def letters_px(self) -> float:
        """The height of the names of boxes, in pixels of the image."""
        return max(self.width, self.height) / 22


def shots_of(dataset: Dataset, suspects: Sequence[FoundSuspect], max_megapixels: float) -> list[Shot]:
    """One shot for each suspect, in their order; each image is read once."""
    image_of = {image.file_name: image for image in dataset.images}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, suspect in enumerate(suspects):
        places[suspect.image].append(place)
    shots: dict[int, Shot] = {}
    for name, own in tqdm(places.items(), desc="pictures", unit="image", disable=not places):
        image = image_of[name]
        views = [_view(image, suspects[place]) for place in own]
        pictures = _cut_out(dataset.image_path(image), image.sha256, views, max_megapixels)
        for place, view, picture in zip(own, views, pictures, strict=True):
            shots[place] = _shot(image, suspects[place], view, picture)
    return [shots[place] for place in range(len(suspects))]


def _shot(image: AnnotatedImage, suspect: FoundSuspect, view: tuple[int, int, int, int], picture: str) -> Shot:
    left, top, right, bottom = view
    kept = kept_of(suspect).model_dump_json(by_alias=True, ensure_ascii=True)
    size = (max(1, right - left), max(1, bottom - top))
    return Shot(suspect, kept, picture, left, top, *size, _boxes(image, suspect))


def _boxes(image: AnnotatedImage, suspect: FoundSuspect) -> list[ShownBox]:
    """The other labels, the suspect's, and what is seen; the last on top."""
    rows = [corners(box) for box in image.boxes[:_MOST_OTHERS]]
    label = None if suspect.kind == "missing_box" else suspect.box
    others = [row for row in rows if row and not (label and _differ(row, label) < 1.0)]
    drawn = [_page_box(row, "", "other") for row in others]
    if label:
        drawn.append(_page_box(label, suspect.class_, "label"))
    if suspect.seen_box:
        drawn.append(_page_box(suspect.seen_box, suspect.seen_class or "", "seen"))
    return drawn


def _differ(one: Corners, other: Corners) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _page_box(box: Corners, name: str, role: str) -> ShownBox:
    xmin, ymin, xmax, ymax = box
    return ShownBox(round(xmin, 1), round(ymin, 1), round(xmax - xmin, 1), round(ymax - ymin, 1), name, role)


def _view(image: AnnotatedImage, suspect: FoundSuspect) -> tuple[int, int, int, int]:
    """The part of the image to show: the boxes with a margin, four to three where the image has the room for it."""
    boxes = [suspect.box, *([suspect.seen_box] if suspect.seen_box else [])]
    xmin, ymin = min(box[0] for box in boxes), min(box[1] for box in boxes)
    xmax, ymax = max(box[2] for box in boxes), max(box[3] for box in boxes)
    longest = max(xmax - xmin, ymax - ymin)
    least = _LEAST_SHARE * max(image.width, image.height)
    height = max(ymax - ymin + _MARGIN * longest, (xmax - xmin + _MARGIN * longest) / _WIDTH_TO_HEIGHT, least)
    left, right = _within((xmin + xmax) / 2, height * _WIDTH_TO_HEIGHT, image.width)
    top, bottom = _within((ymin + ymax) / 2, height, image.height)
    return left, top, right, bottom


def _within(middle: float, length: float, whole: int) -> tuple[int, int]:
    """`length` pixels around `middle`, moved and cut so that they lie in 0..`whole`."""
    start = min(max(0.0, middle - length / 2), max(0.0, whole - length))
    return int(start), min(whole, int(start + length) + 1)


def _cut_out(path: Path, sha256: str, views: Sequence[tuple[int, int, int, int]], max_megapixels: float) -> list[str]:
    """A small JPEG in Base64 of each part of the image; empty ones where it is gone, damaged or changed."""
    try:
        if sha256_of(path) != sha256:
            return [""] * len(views)
        with open_image(path, max_megapixels=max_megapixels) as image:
            whole = as_rgb(image)
            return [_jpeg(whole.crop(view)) for view in views]
    except (FormatError, OSError):
        return [""] * len(views)


def _jpeg(part: Image.Image) -> str:
    part.thumbnail((_PICTURE_PX, _PICTURE_PX), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    part.save(content, format="JPEG", quality=_QUALITY, optimize=True)
    return base64.b64encode(content.getvalue()).decode("ascii")
