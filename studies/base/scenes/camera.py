"""What a camera and a file make of a scene: light, lens, motion, sensor, colours, JPEG."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Picture = npt.NDArray[np.float32]
Rng = np.random.Generator


def photograph(image: Image.Image, rng: Rng) -> bytes:
    """The JPEG file of `image` as photographed; each fault is there now and then, as in real data."""
    image = _lens(image, rng)
    pixels = np.asarray(image, dtype=np.float32) / np.float32(255)
    pixels = _falling_light(pixels, rng)
    pixels = _colours(pixels, rng)
    pixels = _sensor(pixels, rng)
    photo = Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8), "RGB")
    buffer = io.BytesIO()
    quality = int(np.clip(rng.normal(82, 14), 28, 97))
    photo.save(buffer, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2, 2])))
    return buffer.getvalue()


def _lens(image: Image.Image, rng: Rng) -> Image.Image:
    """Sharp, out of focus, shaken, or enlarged from a smaller picture."""
    fault = rng.choice(4, p=[0.55, 0.2, 0.1, 0.15])
    if fault == 1:
        return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.8)))
    if fault == 2:
        return _shaken(image, rng)
    if fault == 3:
        small = int(image.width * rng.uniform(0.4, 0.85))
        return image.resize((small, small), Image.Resampling.BOX).resize(image.size, Image.Resampling.BICUBIC)
    return image.filter(ImageFilter.UnsharpMask(1, int(rng.integers(0, 120)), 0)) if rng.random() < 0.3 else image


def _shaken(image: Image.Image, rng: Rng) -> Image.Image:
    pixels, steps = np.asarray(image, dtype=np.uint16), int(rng.integers(3, 8))
    angle = rng.uniform(0, 2 * np.pi)
    total = np.zeros_like(pixels)
    for step in range(steps):
        shift = (round(step * np.sin(angle)), round(step * np.cos(angle)))
        total += np.roll(pixels, shift, axis=(0, 1))
    return Image.fromarray((total // steps).astype(np.uint8), "RGB")


def _falling_light(pixels: Picture, rng: Rng) -> Picture:
    """Uneven light: from one side, dimmer to the corners, through leaves or blinds."""
    side = pixels.shape[0]
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = axis[None, :], axis[:, None]
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + np.float32(rng.uniform(0, 0.3)) * (np.cos(angle) * x + np.sin(angle) * y)
    light = light - np.float32(rng.choice([0.0, rng.uniform(0, 0.25)])) * (x * x + y * y) / 2
    if rng.random() < 0.2:
        light = light * (1 - np.float32(rng.uniform(0.15, 0.5)) * _dapples(side, rng))
    return np.asarray(pixels * light[..., None], dtype=np.float32)


def _dapples(side: int, rng: Rng) -> npt.NDArray[np.float32]:
    """`(side, side)` in 0..1: the shade of leaves or of a window's bars, with soft edges."""
    rows, columns = (int(n) for n in rng.integers(2, 14, 2))
    coarse = Image.fromarray(rng.random((rows, columns), dtype=np.float32))
    fine = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    return np.clip((fine - 0.5) * np.float32(rng.uniform(2, 8)) + 0.5, 0, 1)


def _colours(pixels: Picture, rng: Rng) -> Picture:
    """White balance, exposure, haze, contrast, saturation; black and white now and then."""
    pixels = pixels * (1 + rng.normal(0, 0.06, 3)).astype(np.float32) * np.float32(np.exp(rng.normal(0, 0.15)))
    if rng.random() < 0.15:
        haze = np.float32(rng.uniform(0.05, 0.4))
        pixels = pixels * (1 - haze) + haze * rng.uniform(0.4, 1.0, 3).astype(np.float32)
    pixels = np.clip(pixels, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.2)))
    grey = np.float32(0.299) * pixels[..., 0] + np.float32(0.587) * pixels[..., 1] + np.float32(0.114) * pixels[..., 2]
    saturation = 0.0 if rng.random() < 0.04 else np.exp(rng.normal(-0.2, 0.25))
    return np.asarray(grey[..., None] + (pixels - grey[..., None]) * np.float32(saturation), dtype=np.float32)


def _sensor(pixels: Picture, rng: Rng) -> Picture:
    """Noise that grows with the light, finer or coarser."""
    strength = np.float32(rng.choice([rng.uniform(0, 0.012), rng.uniform(0.01, 0.06)], p=[0.65, 0.35]))
    shape = pixels.shape if rng.random() < 0.4 else (*pixels.shape[:2], 1)
    noise = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.3:
        noise = (noise + np.roll(noise, 1, axis=0) + np.roll(noise, 1, axis=1)) * np.float32(0.6)
    return np.asarray(pixels + noise * strength * np.sqrt(np.clip(pixels, 0.05, 1)), dtype=np.float32)
