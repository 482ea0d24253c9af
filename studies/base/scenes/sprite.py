"""A kind of thing as a camera sees it once: posed, turned, textured, and lit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import distance_transform_edt

from studies.base.scenes.kinds import SLOTS, Kind, Material
from studies.base.scenes.outlines import HOLE, Points, Rng
from studies.base.scenes.tiles import sample

Field = npt.NDArray[np.float32]
Ids = npt.NDArray[np.uint8]

LONGEST_TO_SHORTEST = 4.0
SHORTEST_PX = 4.0
# Relief is computed on so many pixels at most and enlarged: it is smooth.
_RELIEF_PX = 64


@dataclass(frozen=True)
class Light:
    """Where a scene's light comes from.

    Attributes:
        direction: unit vector to it: x right, y down, z to the camera.
        ambient: what reaches places turned away, 0..1.
        colour: RGB around 1.
    """

    direction: npt.NDArray[np.float32]
    ambient: float
    colour: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sprite:
    """A thing cut out: RGBA, and where it counts as solid, `(height, width)` bool."""

    image: Image.Image
    solid: npt.NDArray[np.bool_]


def draw_sprite(kind: Kind, rng: Rng, length_px: float, light: Light, *, blur_px: float = 0.0) -> Sprite:
    """`kind` in a new pose, its longer side `length_px` long, and at most four times its shorter one."""
    outlines = kind.pose(rng)
    view = _view(kind, rng)
    polygons = [outline.points @ view.T for outline in outlines]
    seen = np.concatenate([points for points, outline in zip(polygons, outlines, strict=True) if outline.slot != HOLE])
    low, extent = seen.min(axis=0), np.ptp(seen, axis=0) + 1e-6
    size = extent * length_px / extent.max()
    size = np.maximum(size, max(length_px / LONGEST_TO_SHORTEST, min(SHORTEST_PX, length_px)))
    scale = size / extent
    finer = 4 if length_px < 40 else 2
    ids = _raster([(points - low) * scale for points in polygons], [outline.slot for outline in outlines], size, finer)
    slots = np.array([0, *(max(outline.slot, 0) for outline in outlines)])
    rgb, alpha = _paint(ids, slots, kind.materials, rng, finer)
    coarse = np.ascontiguousarray(ids[finer // 2 :: finer, finer // 2 :: finer])
    _texture(rgb, slots[coarse], kind.materials, _inverse(view * scale[:, None]), rng)
    gloss = np.array([material.gloss for material in kind.materials], dtype=np.float32)[slots[coarse]]
    _light(rgb, coarse, gloss, kind.relief, light)
    return _cut_out(rgb, alpha, kind.opacity, blur_px)


def _view(kind: Kind, rng: Rng) -> npt.NDArray[np.float64]:
    """Turned, mirrored, stretched, and sheared as by a slanting view."""
    angle = rng.uniform(0, 2 * np.pi) if kind.tilt is None else rng.normal(0, kind.tilt)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    stretch = np.exp(rng.normal(0, 0.14))
    slant = np.array([[1, rng.normal(0, 0.1)], [rng.normal(0, 0.06), 1]])
    return np.asarray(slant @ np.diag([stretch, 1 / stretch]) @ turn @ mirror)


def _inverse(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of a `(2, 2)` matrix; by hand, since LAPACK starts threads, which only wait for each other here."""
    (a, b), (c, d) = matrix.tolist()
    return np.asarray(np.array([[d, -b], [-c, a]]) / (a * d - b * c))


def _raster(polygons: list[Points], slots: list[int], size: npt.NDArray[np.float64], finer: int) -> Ids:
    """The number of the polygon at each pixel, from 1, or 0; with a margin of a pixel, `finer` times enlarged."""
    width, height = (int(np.ceil(side)) + 2 for side in size)
    image = Image.new("L", (width * finer, height * finer))
    draw = ImageDraw.Draw(image)
    for number, (points, slot) in enumerate(zip(polygons, slots, strict=True), start=1):
        pixels = ((points + 1) * finer).ravel().tolist()
        draw.polygon(pixels, fill=0 if slot == HOLE else min(number, 255))
    return np.asarray(image)


def _paint(
    ids: Ids, slots: npt.NDArray[np.int_], materials: tuple[Material, ...], rng: Rng, finer: int
) -> tuple[Field, Field]:
    """Each outline in its material's first colour, a little different from the others': `(H, W, 3)`, and alpha."""
    colours = np.stack([material.colours[0] for material in materials])[slots]
    shift = 1 + rng.normal(0, 0.05, (len(slots), 1)) + rng.normal(0, 0.04, (1, 3)) + rng.normal(0, 0.08)
    table = np.zeros((256, 4), dtype=np.uint8)
    table[: len(slots), :3] = np.clip(colours * shift, 0, 1) * 255
    table[1:, 3], table[0, :] = 255, 0
    image = Image.fromarray(table[ids], "RGBA").convert("RGBa").reduce(finer)
    reduced = np.asarray(image, dtype=np.float32) / np.float32(255)
    alpha = reduced[..., 3]
    return reduced[..., :3] / np.maximum(alpha, 1 / 255)[..., None], alpha


def _texture(
    rgb: Field, slots: npt.NDArray[np.int_], materials: tuple[Material, ...], back: npt.NDArray[np.float64], rng: Rng
) -> None:
    """Mix in each material's second colour by its texture, which moves with the thing; in place."""
    height, width = slots.shape
    x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    phase = rng.uniform(0, 1, 2)
    for slot in range(SLOTS):
        where = slots == slot
        if not where.any():
            continue
        material = materials[slot]
        u = (back[0, 0] * x + back[0, 1] * y) / material.period + phase[0] + 8
        v = (back[1, 0] * x + back[1, 1] * y) / material.period + phase[1] + 8
        step = float(np.abs(back).sum() / 2 / material.period)
        share = sample(material.tile, u, v, step) * (material.amount * where)
        change = material.colours[1] - material.colours[0]
        rgb += share[..., None] * change


def _light(rgb: Field, ids: Ids, gloss: Field, relief: float, light: Light) -> None:
    """Shade by the light on rounded edges, with highlights; in place."""
    if relief <= 0:
        rgb *= (light.ambient + (1 - light.ambient) * max(float(light.direction[2]), 0.3)) * light.colour
        return
    slope_x, slope_y = _slopes(ids, relief)
    inverse = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
    towards = (light.direction[2] - slope_x * light.direction[0] - slope_y * light.direction[1]) * inverse
    rgb *= (light.ambient + (1 - light.ambient) * np.clip(towards, 0, None))[..., None] * light.colour
    half = light.direction + np.array([0, 0, 1], dtype=np.float32)
    half /= np.linalg.norm(half)
    shine = np.clip((half[2] - slope_x * half[0] - slope_y * half[1]) * inverse, 0, 1) ** 24
    rgb += (gloss * shine)[..., None] * light.colour


def _slopes(ids: Ids, relief: float) -> tuple[Field, Field]:
    """Slopes of a surface that is round at the thing's outline and, less so, at the edges of its parts."""
    step = max(1, int(np.ceil(max(ids.shape) / _RELIEF_PX)))
    small = np.pad(ids[::step, ::step], 1)
    inside = small > 0
    level = inside.copy()
    level[:, 1:] &= small[:, 1:] == small[:, :-1]
    level[1:] &= small[1:] == small[:-1]
    whole, part = distance_transform_edt(inside), distance_transform_edt(level)
    radius = max(relief * float(whole.max()), 1.0)
    height = radius * _dome(whole / radius) + 0.4 * min(radius, 4.0) * _dome(part / min(radius, 4.0))
    down, across = (np.gradient(height.astype(np.float32), axis=axis) for axis in (0, 1))
    shape = (ids.shape[1], ids.shape[0])
    slopes = []
    for slope in (across, down):
        inner = np.ascontiguousarray(np.clip(slope[1:-1, 1:-1], -3, 3), dtype=np.float32)
        slopes.append(np.asarray(Image.fromarray(inner).resize(shape, Image.Resampling.BILINEAR)))
    return slopes[0], slopes[1]


def _dome(depth: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.sqrt(1 - (1 - np.clip(depth, 0, 1)) ** 2))


def _cut_out(rgb: Field, alpha: Field, opacity: float, blur_px: float) -> Sprite:
    shown = alpha * opacity
    pixels = np.concatenate([np.clip(rgb, 0, 1) * shown[..., None], shown[..., None]], axis=2)
    image = Image.fromarray((pixels * 255 + 0.5).astype(np.uint8), "RGBa")
    if blur_px > 0.3:
        image = image.filter(ImageFilter.GaussianBlur(blur_px))
    return Sprite(image.convert("RGBA"), alpha >= 0.5 * alpha.max())
