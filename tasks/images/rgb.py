"""One way to turn whatever Pillow opens into RGB, so that training, scoring and the records see the same pixels."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

_STRIP_PIXELS = 1_000_000
_WITH_ALPHA = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})


def as_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of the pixels as stored (no EXIF turn): transparent pixels become white, 16 bits become 8."""
    if _is_wide(image):
        return _grey_from_wide(image, reaches_16_bits=_reaches_16_bits([image])).convert("RGB")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        # A palette's transparent entry and an RGB file's transparent colour become alpha here as well.
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def as_grey(image: Image.Image) -> Image.Image:
    """What `as_rgb(image).convert("L")` is, made in strips: a second copy of all pixels never stands in memory."""
    grey = Image.new("L", image.size)
    wide = _is_wide(image)
    deep = wide and _reaches_16_bits(strip for _, strip in _strips(image))
    for top, strip in _strips(image):
        grey_strip = _grey_from_wide(strip, reaches_16_bits=deep) if wide else as_rgb(strip).convert("L")
        grey.paste(grey_strip, (0, top))
    return grey


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Pieces as wide as the image, each with the row that it starts at."""
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        strip.info = image.info
        yield top, strip


def _is_wide(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _reaches_16_bits(strips: Iterable[Image.Image]) -> bool:
    return any(strip.mode.startswith("I;16") or _values(strip).max(initial=0.0) > 255 for strip in strips)


def _grey_from_wide(image: Image.Image, *, reaches_16_bits: bool) -> Image.Image:
    """8-bit grey: Pillow's own conversion cuts values at 255, which leaves a white picture."""
    values = _values(image) / (256 if reaches_16_bits else 1)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _values(image: Image.Image) -> npt.NDArray[np.float64]:
    return np.nan_to_num(np.asarray(image).astype(np.float64))
