"""What TFRecords store for an image file.

An image that TensorFlow decodes to the same 8-bit RGB pixels (a plain JPEG or PNG) is stored byte for byte, unless it
is too large; any other is converted to RGB and stored as JPEG.
"""

import io
import math
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tasks.images.image_file import open_image
from tasks.images.rgb import as_rgb
from tasks.tfrecords.tf_example import ImageFormat

JPEG_QUALITY = 95
_PNG_BIT_DEPTH_OFFSET = 24

Size = tuple[int, int]


class StoredImage(NamedTuple):
    """An image as a record holds it.

    Attributes:
        content: the encoded image.
        format: its encoding.
        size: its width and height in pixels.
        source_size: width and height of the image file.
    """

    content: bytes
    format: ImageFormat
    size: Size
    source_size: Size


def stored_image(path: Path, content: bytes, *, max_side_px: int | None) -> StoredImage:
    """What to store for the image file `path`, which holds `content`; `max_side_px` limits the longer side.

    Raises:
        FormatError: not an image, or a damaged one.
    """
    # The validate stage has applied validate.max_image_megapixels.
    with open_image(path, max_megapixels=math.inf, content=content) as image:
        source_size = image.size
        size = stored_size(source_size, max_side_px)
        if size != source_size:
            return StoredImage(_encode_jpeg(_shrink(image, size)), "jpeg", size, source_size)
        if image.mode == "RGB" and image.format in ("JPEG", "MPO"):
            return StoredImage(content, "jpeg", size, source_size)
        if _is_plain_png(image, content):
            return StoredImage(content, "png", size, source_size)
        return StoredImage(_encode_jpeg(as_rgb(image)), "jpeg", size, source_size)


def stored_size(size: Size, max_side_px: int | None) -> Size:
    """Width and height with the longer side reduced to `max_side_px`; unchanged for None."""
    longer = max(size)
    if max_side_px is None or longer <= max_side_px:
        return size
    width, height = (max(1, round(side * max_side_px / longer)) for side in size)
    return width, height


def _shrink(image: Image.Image, size: Size) -> Image.Image:
    """`image` at `size`, in RGB."""
    # A JPEG decodes at a half, a quarter or an eighth of its size at a fraction of the cost; at least twice the wanted
    # size is left for the filter. The box is the region of the decoded pixels that the image covers.
    drafted = image.draft("RGB", (2 * size[0], 2 * size[1])) if image.mode == "RGB" else None
    return as_rgb(image).resize(size, Image.Resampling.LANCZOS, box=drafted[1] if drafted else None)


def _encode_jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _is_plain_png(image: Image.Image, content: bytes) -> bool:
    """8-bit RGB, no transparent colour, no animation. Pillow calls 16-bit RGB plain RGB: the depth is in the header."""
    return (
        image.format == "PNG"
        and image.mode == "RGB"
        and content[_PNG_BIT_DEPTH_OFFSET] == 8
        and "transparency" not in image.info
        and not getattr(image, "is_animated", False)
    )
