"""Opening image files that strangers made: which formats, how large, whether every pixel decodes.

Size means the pixels as stored: an EXIF orientation is reported, never applied. A TIFF's is the exception: Pillow has
applied it whenever it gives pixels or a size, so that here "as stored" is upright.
"""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from tasks.errors import FormatError
from tasks.images.jpeg_scans import count_scans
from tasks.images.rgb import as_grey, as_rgb
from tasks.images.unread_formats import unread_content

# Suffixes, each with the name Pillow gives to the format.
FORMAT_OF_SUFFIX = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}
_FORMATS = sorted(set(FORMAT_OF_SUFFIX.values()))
_EXIF_ORIENTATION = 0x0112
# Pillow warns above MAX_IMAGE_PIXELS and refuses above twice that. It is one number for the whole process, other users
# of Pillow included, so it stays as it is, and the limit from params.yaml comes on top.
_PILLOW_MEGAPIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
# What Pillow's decoders are known to raise for broken files, such as a TIFF whose offsets are fractions or whose strips
# have no size.
_DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, TypeError, AttributeError,
    NotImplementedError, struct.error, zlib.error,
)  # fmt: skip
# No side may be longer than libjpeg can write (JPEG_MAX_DIMENSION in its jmorecfg.h): images are stored as JPEG for
# training. Resizing takes memory by the side, whatever the number of pixels.
_MAX_SIDE_PX = 65_500
# A scan goes over the whole image, however few bytes it has. Encoders write about ten.
_MAX_JPEG_SCANS = 100
# Frames are counted up to here: in a TIFF each takes a seek, and only the first is used.
COUNTED_FRAMES = 1000
_HASHED_FROM_PX = 192
_LARGE_PIXELS = 16_000_000
# Large images are decoded one at a time, however many threads ask, and in one thread: each takes hundreds of megabytes,
# which malloc would keep for every thread that ever decoded one.
_LARGE_IMAGE_THREAD = ThreadPoolExecutor(max_workers=1)
# Pillow warns above half of what it refuses; the limit of this project is in params.yaml.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True)
class ImageFacts:
    """What an image file is.

    Attributes:
        width, height: pixels as stored.
        format: `JPEG`, `PNG`, `BMP`, `GIF`, `WEBP`, `TIFF` or `AVIF`, by content, whatever the file is called.
        mode: Pillow's name for the pixel layout: `RGB`, `RGBA`, `P`, `L`, `CMYK`, ...
        exif_orientation: 1 to 8; 1 is upright, or not given.
        frames: how many pictures it holds, counted up to COUNTED_FRAMES; more than 1 where it is animated or has pages.
        perceptual_hash: 64 hex digits; few of the 256 bits differ between similar images.
    """

    width: int
    height: int
    format: str
    mode: str
    exif_orientation: int
    frames: int
    perceptual_hash: str


@contextmanager
def open_image(path: Path, *, max_megapixels: float, content: bytes | None = None) -> Iterator[Image.Image]:
    """The image in a file, its first frame where it has several; only its header has been read.

    `content` is what the file holds, where the caller has read it already.

    Raises:
        FormatError: there is no image in one of the known formats, or it has more than `max_megapixels`, or more than
            Pillow's own guard against decompression bombs allows, or a side of over 65,500 pixels, or a JPEG over 100
            scans; also for a decoder's error inside the `with` block.
    """
    try:
        with Image.open(path if content is None else io.BytesIO(content), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > max_megapixels * 1e6:
                raise FormatError(
                    f"{path}: {width} x {height} pixels; validate.max_image_megapixels allows {max_megapixels:g}"
                )
            if max(width, height) > _MAX_SIDE_PX:
                raise FormatError(f"{path}: {width} x {height} pixels; a side has at most {_MAX_SIDE_PX}: cut it up")
            if image.format in ("JPEG", "MPO"):
                _refuse_scans(path, content)
            yield image
    except Image.DecompressionBombError as error:
        raise FormatError(
            f"{path}: over {_PILLOW_MEGAPIXELS} megapixels, which Pillow refuses; scale it down"
        ) from error
    except _DECODER_ERRORS as error:
        raise FormatError(f"{path}: {_reason(path, error)}") from error


def inspect_image(path: Path, *, max_megapixels: float) -> ImageFacts:
    """What the image is, after decoding all of it.

    Raises:
        FormatError: as `open_image`; a truncated or damaged file too.
    """
    with open_image(path, max_megapixels=max_megapixels) as image:
        if image.width * image.height > _LARGE_PIXELS:
            return _LARGE_IMAGE_THREAD.submit(_decode, image).result()
        return _decode(image)


def _decode(image: Image.Image) -> ImageFacts:
    # Cameras that store a preview beside the photo write MPO: to every reader a JPEG.
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    mode = image.mode
    image.load()
    facts = ImageFacts(
        *image.size,
        format=kind,
        mode=mode,
        exif_orientation=orientation_of(image),
        perceptual_hash=_perceptual_hash(image),
        frames=1 if kind == "JPEG" else _count_frames(image),
    )
    image.close()
    return facts


def _refuse_scans(path: Path, content: bytes | None) -> None:
    if content is None:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
            scans = count_scans(mapped, _MAX_JPEG_SCANS)
    else:
        scans = count_scans(content, _MAX_JPEG_SCANS)
    if scans > _MAX_JPEG_SCANS:
        raise FormatError(
            f"{path}: a JPEG of more than {_MAX_JPEG_SCANS} scans, which takes minutes to decode; save it anew"
        )


def _count_frames(image: Image.Image) -> int:
    if image.format != "TIFF":
        return int(getattr(image, "n_frames", 1))
    for number in range(1, COUNTED_FRAMES):
        try:
            image.seek(number)
        except EOFError:
            return number
    return COUNTED_FRAMES


def stored_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as stored, from the file's header: no pixel is decoded.

    Raises:
        FormatError: as `open_image`, with no limit but Pillow's own.
    """
    with open_image(path, max_megapixels=math.inf) as image:
        return image.size


def read_rgb(path: Path, *, max_megapixels: float = math.inf) -> npt.NDArray[np.uint8]:
    """`(height, width, 3)` uint8 RGB of the pixels as stored; without a limit, for images that passed `validate`.

    Raises:
        FormatError: as `inspect_image`.
    """
    with open_image(path, max_megapixels=max_megapixels) as image:
        return np.asarray(as_rgb(image), dtype=np.uint8)


def _perceptual_hash(image: Image.Image) -> str:
    """The library's DCT hash at 16 x 16: unlike 8 x 8, its default, it separates frames of one scene."""
    import imagehash  # noqa: PLC0415 - half a second, and only `validate` needs it

    # The library scales to 64 x 64 as well, from a grey copy of the whole. Where pixels are plain, means over blocks of
    # them down to three times that come first: a few bits differ, and a fifth of the time is left.
    factor = min(image.size) // _HASHED_FROM_PX
    plain = image.mode in ("RGB", "L") and "transparency" not in image.info
    small = as_grey(image.reduce(factor) if plain and factor > 1 else image)
    return str(imagehash.phash(small.resize((64, 64), Image.Resampling.LANCZOS), hash_size=16))


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where it is missing or cannot be read.

    Of a TIFF, ask after its pixels were decoded: Pillow turns them upright while it does, and this is 1 from then on.
    """
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except _DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _reason(path: Path, error: Exception) -> str:
    if not path.is_file():
        return "no such file"
    if path.stat().st_size == 0:
        return "the file is empty (0 bytes)"
    if isinstance(error, UnidentifiedImageError):
        with path.open("rb") as file:
            kind = unread_content(file.read(16))
        return f"the file holds {kind}" if kind else f"not an image in a known format ({', '.join(_FORMATS)})"
    return f"the image is damaged: {error}"
