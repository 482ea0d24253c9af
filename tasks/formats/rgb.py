"""One way to turn whatever Pillow opens into RGB, so that training, scoring and the records see the same pixels."""

import numpy as np
from PIL import Image

_STRIP_PIXELS = 1_000_000
_WITH_ALPHA = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})


def as_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of the pixels as stored (no EXIF turn): what is transparent shows white, 16 bits become 8."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _from_wide(image).convert("RGB")
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        # A palette's transparent entry and an RGB file's transparent colour become alpha here as well.
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def as_grey(image: Image.Image) -> Image.Image:
    """What `as_rgb(image).convert("L")` is, made in strips: a second copy of all pixels never stands in memory."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return as_rgb(image).convert("L")  # how far its values reach is known of the whole only
    grey = Image.new("L", image.size)
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        strip.info = image.info
        grey.paste(as_rgb(strip).convert("L"), (0, top))
    return grey


def _from_wide(image: Image.Image) -> Image.Image:
    """8-bit grey: Pillow's own conversion cuts values at 255, which leaves a white picture."""
    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    if image.mode.startswith("I;16") or values.max(initial=0.0) > 255:
        values = values / 256
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
