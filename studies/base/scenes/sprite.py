"""A cut-out made ready to be pasted: turned, in perspective, in the scene's light and grain, as sharp as the scene."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from studies.base.scenes.warp import perspective

Rng = np.random.Generator
Field = npt.NDArray[np.float32]

# What is less opaque than this belongs to no thing, as a shadow or a soft edge does.
_SOLID_ALPHA = 110


@dataclass(frozen=True)
class Light:
    """The scene's light.

    Attributes:
        direction: to the light, as seen in the picture (x to the right, y down), length at most 1.
        strength: how much darker the side away from it is, 0 to 1.
        tint: its colour, near 1.
        grain: `(side, side)` with mean 1, lights and darks of a surface that cut-outs partly take on.
    """

    direction: tuple[float, float]
    strength: float
    tint: npt.NDArray[np.float32]
    grain: Field


@dataclass(frozen=True)
class Sprite:
    """A picture with alpha, and where it is solid."""

    image: Image.Image
    solid: npt.NDArray[np.bool_]


def draw_sprite(thing: Image.Image, rng: Rng, length: float, *, tilt: float, light: Light, blur: float) -> Sprite:
    """`thing` with a longer side of about `length` pixels.

    `thing` is RGBA, `tilt` the standard deviation of its turn in degrees (180: any), `blur` that of what is out of
    focus, in pixels.
    """
    image = _posed(thing, rng, length, tilt, margin=2 + int(2 * blur))
    pixels = np.array(image, dtype=np.float32)
    alpha = pixels[..., 3]
    pixels[..., :3] = _lit(pixels[..., :3], alpha, rng, light)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")
    softness = blur + rng.uniform(0.0, 0.9) * min(length / 60, 1.0)
    if softness > 0.3:
        # Pillow blurs colour and alpha apart; premultiplied, the colour outside does not bleed in.
        image = image.convert("RGBa").filter(ImageFilter.GaussianBlur(softness)).convert("RGBA")
    solid = np.asarray(image.getchannel("A")) > _SOLID_ALPHA
    return _cropped(image, solid)


def _posed(thing: Image.Image, rng: Rng, length: float, tilt: float, *, margin: int) -> Image.Image:
    """Turned, stretched a little and seen at a slant, its longer side `length`, within `margin` transparent pixels."""
    if rng.random() < 0.5:
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    stretch = float(np.exp(rng.normal(0, 0.1)))
    half = np.array([thing.width * stretch, thing.height / stretch]) / 2
    angle = rng.uniform(-np.pi, np.pi) if tilt >= 180 else np.radians(rng.normal(0, tilt))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    slant = rng.normal(0, 0.07 if rng.random() < 0.7 else 0.16, (4, 2))
    corners = (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) + np.clip(slant, -0.4, 0.4)) * half @ turn
    corners *= length / max(float(np.ptp(corners, axis=0).max()), 1e-6)
    corners += margin - corners.min(axis=0)
    size = np.ceil(corners.max(axis=0) + margin).astype(int)
    # A transform takes single pixels: what is made much smaller is averaged before.
    scale = 1.3 * length / max(thing.size)
    if scale < 0.8:
        small = (max(round(thing.width * scale), 2), max(round(thing.height * scale), 2))
        thing = thing.resize(small, Image.Resampling.BOX if scale < 0.25 else Image.Resampling.BILINEAR, reducing_gap=3)
    # The outermost pixels would end in steps.
    thing = ImageOps.expand(thing, 1, (0, 0, 0, 0))
    return perspective(thing, [(float(x), float(y)) for x, y in corners], (int(size[0]), int(size[1])))


def _lit(colours: Field, alpha: Field, rng: Rng, light: Light) -> Field:
    """The colours in the scene's light: as on a rounded body, with some surface's grain."""
    height, width = alpha.shape
    saturation = np.float32(rng.uniform(0.55, 1.1))
    grey = colours.mean(axis=2, keepdims=True)
    colours = grey + (colours - grey) * saturation
    # Drawings reach black and white, photographs of things seldom.
    low = rng.uniform(0, 35)
    colours = low + colours * np.float32((rng.uniform(200, 255) - low) / 255)
    shade = np.ones((height, width), np.float32)
    if max(height, width) > 16:
        body = Image.fromarray(alpha.astype(np.uint8)).filter(ImageFilter.BoxBlur(max(height, width) * 0.1))
        down, across = np.gradient(np.asarray(body, dtype=np.float32) / np.float32(255))
        slope = (-across * light.direction[0] - down * light.direction[1]) * np.float32(0.25 * max(height, width))
        shade += light.strength * np.clip(slope, -0.8, 0.8)
        x, y = (
            np.linspace(-1, 1, width, dtype=np.float32)[None, :],
            np.linspace(-1, 1, height, dtype=np.float32)[:, None],
        )
        shade += np.float32(0.25 * light.strength) * (light.direction[0] * x + light.direction[1] * y)
    if rng.random() < 0.5:
        amount, side = np.float32(rng.uniform(0.1, 0.5)), light.grain.shape[0]
        top, left = int(rng.integers(side)), int(rng.integers(side))
        rows, columns = np.arange(top, top + height) % side, np.arange(left, left + width) % side
        shade *= 1 + amount * (light.grain[np.ix_(rows, columns)] - 1)
    return np.asarray(colours * shade[..., None] * light.tint, dtype=np.float32)


def _cropped(image: Image.Image, solid: npt.NDArray[np.bool_]) -> Sprite:
    """Without empty rows and columns; a thing that has vanished is one transparent pixel."""
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return Sprite(Image.new("RGBA", (1, 1)), np.zeros((1, 1), dtype=bool))
    top, bottom = max(rows[0] - 2, 0), min(rows[-1] + 3, solid.shape[0])
    left, right = max(columns[0] - 2, 0), min(columns[-1] + 3, solid.shape[1])
    return Sprite(image.crop((left, top, right, bottom)), solid[top:bottom, left:right])
