"""Detections drawn on a picture, readable on any background: a box between two dark lines, a name on a filled label.

A class has the colour of its place among the classes, the same in every picture and in the report.
"""

import io
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from tasks.dataset.boxes import clip
from tasks.dataset.detections import Detections
from tasks.ground.text import printable
from tasks.images.image_file import open_image
from tasks.images.rgb import as_rgb

# Distinct with any kind of colour blindness: Okabe and Ito, "Color Universal Design" (2008), without black and with
# yellow last because it is faint on white; then from Paul Tol's "muted" scheme. More classes start again.
PALETTE = (
    "#e69f00",
    "#56b4e9",
    "#d55e00",
    "#cc79a7",
    "#0072b2",
    "#009e73",
    "#f0e442",
    "#aa4499",
    "#44aa99",
    "#cc6677",
    "#999933",
    "#88ccee",
)
_DARK = "#101014"
_LONGEST_NAME = 40
# Below, neither is seen.
_THINNEST_PX, _SMALLEST_LETTERS_PX = 2, 11


def class_colours(classes: Sequence[str]) -> dict[str, str]:
    """`#rrggbb` by class name, in the order of `classes`."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(classes)}


def draw_detections(image: Image.Image, detections: Detections, classes: Sequence[str]) -> Image.Image:
    """A copy of `image` (RGB) with its detections, the highest score on top.

    Lines and letters grow with the image, so that they are as readable in a 300 px thumbnail as in a 12 megapixel
    photo. Those of a small box are smaller, so that they hide neither it nor its neighbours. Boxes are cut at the
    border. A class that `classes` lacks is drawn in white.
    """
    drawn = image.convert("RGB")
    draw = ImageDraw.Draw(drawn)
    colours = class_colours(classes)
    inside = clip(detections.boxes, width=drawn.width - 1, height=drawn.height - 1)
    for i in detections.scores.argsort(kind="stable"):
        name = detections.classes[i]
        xmin, ymin, xmax, ymax = (round(float(value)) for value in inside[i])
        corners = (min(xmin, xmax), min(ymin, ymax), max(xmin, xmax), max(ymin, ymax))
        colour = colours.get(name, "#ffffff")
        line_px, letters_px = _sizes(drawn.size, corners)
        _box(draw, corners, colour, line_px)
        label = f"{_label_name(name)} {detections.scores[i]:.2f}"
        _label(draw, drawn.size, corners, label, colour, _font(letters_px))
    return drawn


class Thumbnail(NamedTuple):
    """A small JPEG, and how large the image is that it was made from."""

    jpeg: bytes
    width: int
    height: int


def thumbnail(path: Path, max_side_px: int, *, max_megapixels: float) -> Thumbnail:
    """The image file as a small JPEG without metadata, its pixels where they are stored (not turned by EXIF).

    Raises:
        FormatError: not an image, a damaged one, or one with more than `max_megapixels`.
    """
    with open_image(path, max_megapixels=max_megapixels) as image:
        width, height = image.size
        # A JPEG is decoded at a fraction of its size: ten times less work for a photo.
        image.draft("RGB", (2 * max_side_px, 2 * max_side_px))
        small = as_rgb(image)
        small.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
        content = io.BytesIO()
        small.save(content, format="JPEG", quality=80, optimize=True)
    return Thumbnail(content.getvalue(), width, height)


def _sizes(size: tuple[int, int], corners: tuple[int, int, int, int]) -> tuple[int, int]:
    """The width of the line and the height of the letters of one box, in pixels: by the picture's size, and its own."""
    long_side_px = max(size)
    xmin, ymin, xmax, ymax = corners
    width, height = xmax - xmin, ymax - ymin
    line_px = min(long_side_px / 300, min(width, height) / 12)
    # Less than half of the side of a square of the box's area.
    letters_px = min(long_side_px / 45, 0.45 * math.sqrt(width * height))
    return max(_THINNEST_PX, round(line_px)), max(_SMALLEST_LETTERS_PX, round(letters_px))


def _box(draw: ImageDraw.ImageDraw, corners: tuple[int, int, int, int], colour: str, line_px: int) -> None:
    """A coloured line with a dark edge on either side: one of the two stands out from any background."""
    edge_px = max(1, line_px // 3)
    xmin, ymin, xmax, ymax = corners
    outer = (xmin - edge_px, ymin - edge_px, xmax + edge_px, ymax + edge_px)
    draw.rectangle(outer, outline=_DARK, width=line_px + 2 * edge_px)
    draw.rectangle(corners, outline=colour, width=line_px)


def _label(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    corners: tuple[int, int, int, int],
    text: str,
    colour: str,
    font: ImageFont.FreeTypeFont,
) -> None:
    """Above the box where it fits, else inside it; never past the picture's border."""
    pad = max(2, round(font.size / 5))
    label_width, label_height = round(font.getlength(text)) + 2 * pad, sum(font.getmetrics()) + pad
    x = max(0, min(corners[0], size[0] - label_width))
    y = corners[1] - label_height if corners[1] >= label_height else corners[1]
    y = max(0, min(y, size[1] - label_height))
    draw.rectangle((x, y, x + label_width, y + label_height), fill=colour, outline=_DARK)
    draw.text((x + pad, y + pad // 2), text, fill=_ink_colour(colour), font=font)


def _label_name(name: str) -> str:
    text = printable(name)
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"


def _ink_colour(colour: str) -> str:
    """Dark or white letters, whichever contrast more with `colour` (relative luminance, WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return _DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.19 else "#ffffff"


@lru_cache(maxsize=128)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans from matplotlib: Pillow's own font has no Cyrillic, Greek or Arabic letters."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size_px)
