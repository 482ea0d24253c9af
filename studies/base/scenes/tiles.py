"""Textures: square periodic fields in 0..1, each at several sizes so that a small thing's texture does not alias."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

Field = npt.NDArray[np.float32]
Rng = np.random.Generator

SIDE = 256
_SMALLEST = 8
# The tiles are part of the generator, whatever the seed of the scenes is.
_SEED = 20_011


def power_noise(rng: Rng, exponent: float, stretch: float = 1.0) -> Field:
    """Noise whose amplitude falls as 1/f^`exponent` (photographs: about 1), flattened to use 0..1 evenly.

    `stretch` above 1 draws it out along x.
    """
    fx, fy = np.meshgrid(np.fft.fftfreq(SIDE) * stretch, np.fft.fftfreq(SIDE))
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1.0
    spectrum = np.exp(2j * np.pi * rng.random((SIDE, SIDE))) / radius**exponent
    spectrum[0, 0] = 0
    return _spread(np.fft.ifft2(spectrum).real)


def _spread(field: npt.NDArray[np.floating[Any]]) -> Field:
    low, high = np.percentile(field, (1, 99))
    return _as_field(np.clip((field - low) / (high - low), 0, 1))


def _as_field(values: npt.ArrayLike) -> Field:
    return np.asarray(values, dtype=np.float32)


def _grid() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    x, y = np.meshgrid(np.arange(SIDE) / SIDE, np.arange(SIDE) / SIDE)
    return x, y


def _seeds(rng: Rng, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Distances to the nearest two of `count` periodic points, `(SIDE, SIDE, 2)`, and the nearest one's number."""
    points = rng.random((count, 2))
    shifts = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    tree = cKDTree((points[None] + shifts[:, None]).reshape(-1, 2))
    distance, index = tree.query(np.stack(_grid(), axis=-1).reshape(-1, 2), k=2)
    return distance.reshape(SIDE, SIDE, 2), index[:, 0].reshape(SIDE, SIDE) % count


def _cells(rng: Rng) -> Field:
    distance, _ = _seeds(rng, int(rng.integers(30, 160)))
    return _spread(distance[..., 1] - distance[..., 0])


def _mosaic(rng: Rng) -> Field:
    count = int(rng.integers(20, 120))
    distance, index = _seeds(rng, count)
    joint = np.clip((distance[..., 1] - distance[..., 0]) * 120, 0, 1)
    return _as_field(rng.random(count)[index] * joint)


def _spots(rng: Rng) -> Field:
    distance, _ = _seeds(rng, int(rng.integers(25, 120)))
    noise = power_noise(rng, 1.4)
    size = rng.uniform(0.025, 0.06)
    return _as_field(np.clip((size * (0.6 + 0.8 * noise) - distance[..., 0]) * 60 + 0.5, 0, 1))


def _dots(rng: Rng) -> Field:
    x, y = _grid()
    n = int(rng.integers(4, 12))
    field = np.cos(2 * np.pi * n * x) * np.cos(2 * np.pi * n * y)
    return _as_field(np.clip((np.abs(field) - rng.uniform(0.3, 0.7)) * 8 + 0.5, 0, 1))


def _stripes(rng: Rng) -> Field:
    x, _ = _grid()
    warp = rng.choice([0.0, 0.0, 0.06, 0.15]) * power_noise(rng, 1.8)
    n, sharp = int(rng.integers(3, 14)), rng.uniform(1, 8)
    duty = rng.uniform(-0.5, 0.5)
    return _as_field(np.clip(0.5 + sharp * (np.sin(2 * np.pi * n * (x + warp)) - duty), 0, 1))


def _plaid(rng: Rng) -> Field:
    x, y = _grid()
    bands = rng.random(8)
    n = int(rng.integers(1, 4))
    return np.asarray((bands[(x * 8 * n).astype(int) % 8] + bands[(y * 8 * n).astype(int) % 8]) / 2, dtype=np.float32)


def _checks(rng: Rng) -> Field:
    x, y = _grid()
    n = 2 * int(rng.integers(2, 7))
    return _as_field(((x * n).astype(int) + (y * n).astype(int)) % 2)


def _bricks(rng: Rng) -> Field:
    x, y = _grid()
    rows = 2 * int(rng.integers(3, 7))
    columns, joint = rows // 2, rng.uniform(0.04, 0.12)
    row = (y * rows).astype(int)
    shifted = x * columns + 0.5 * (row % 2)
    tone = rng.random((rows, columns + 1))[row, shifted.astype(int) % columns] * 0.5 + 0.5
    gap = (shifted % 1 < joint / 2) | (y * rows % 1 < joint)
    return _as_field(np.where(gap, 0.0, tone))


def _weave(rng: Rng) -> Field:
    x, y = _grid()
    n = int(rng.integers(8, 26))
    over = ((x * n).astype(int) + (y * n).astype(int)) % 2 == 0
    return _as_field(np.where(over, np.abs(np.sin(np.pi * n * x)), np.abs(np.sin(np.pi * n * y)) * 0.7))


def _scales(rng: Rng) -> Field:
    x, y = _grid()
    n = 2 * int(rng.integers(4, 10))
    row = (y * n).astype(int)
    across, down = (x * n / 2 + 0.5 * (row % 2)) % 1 - 0.5, y * n % 1
    return _as_field(np.clip(1.1 - np.hypot(across * 2, down) ** 2, 0, 1))


def _rings(rng: Rng) -> Field:
    warp = power_noise(rng, 2.0, float(rng.choice([1.0, 4.0])))
    return _as_field(0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(4, 12) * warp))


def _patches(rng: Rng) -> Field:
    levels = int(rng.integers(2, 5))
    return np.asarray(np.floor(power_noise(rng, 1.6) * levels * 0.999) / (levels - 1), dtype=np.float32)


def _veins(rng: Rng) -> Field:
    return _spread(-np.abs(power_noise(rng, 1.5) - 0.5))


def _fur(rng: Rng) -> Field:
    return power_noise(rng, 0.9, rng.uniform(6, 16))


def _grain(rng: Rng) -> Field:
    return _spread(gaussian_filter(rng.normal(size=(SIDE, SIDE)), rng.uniform(0.5, 2.0), mode="wrap"))


def _writing(rng: Rng) -> Field:
    field = np.zeros((SIDE, SIDE), dtype=np.float32)
    height = int(rng.integers(8, 24))
    for top in range(2, SIDE - height, int(height * 1.6)):
        marks = np.repeat(rng.random(SIDE // 4 + 1) < 0.6, 4)[:SIDE]
        field[top : top + height, marks] = rng.random((height, int(marks.sum()))) < 0.7
    return _as_field(gaussian_filter(field, 1.0, mode="wrap"))


_MAKERS: tuple[tuple[Callable[[Rng], Field], int], ...] = (
    (lambda rng: power_noise(rng, rng.uniform(0.7, 1.0)), 3),
    (lambda rng: power_noise(rng, rng.uniform(1.1, 1.6)), 4),
    (lambda rng: power_noise(rng, rng.uniform(1.8, 2.4)), 3),
    (_fur, 3),
    (_cells, 3),
    (_mosaic, 3),
    (_spots, 4),
    (_dots, 3),
    (_stripes, 6),
    (_plaid, 3),
    (_checks, 2),
    (_bricks, 3),
    (_weave, 3),
    (_scales, 2),
    (_rings, 4),
    (_patches, 3),
    (_veins, 2),
    (_grain, 2),
    (_writing, 2),
)
COUNT = sum(copies for _, copies in _MAKERS)
# The first tiles are noise without an edge: what surfaces are mottled with.
NOISES = 10


@cache
def tile(number: int) -> tuple[Field, ...]:
    """Tile `number` (0..COUNT-1) at side 256, 128, ... 8."""
    makers = [maker for maker, copies in _MAKERS for _ in range(copies)]
    rng = np.random.default_rng((_SEED, number))
    field = makers[number](rng)
    sizes = [SIDE]
    while sizes[-1] > _SMALLEST:
        sizes.append(sizes[-1] // 2)
    whole = Image.fromarray(field)
    return tuple(np.asarray(whole.reduce(SIDE // size) if size < SIDE else whole).copy() for size in sizes)


def sample(number: int, u: npt.NDArray[np.floating[Any]], v: npt.NDArray[np.floating[Any]], step: float) -> Field:
    """Tile `number` at coordinates `u`, `v` (1 is one period), for pixels that are `step` periods apart."""
    levels = tile(number)
    level = levels[int(np.clip(np.log2(max(step * SIDE, 1.0)), 0, len(levels) - 1))]
    side = level.shape[0]
    last = side - 1  # sides are powers of two, so that this mask is a modulus, of negative numbers too
    return np.asarray(level[(v * side).astype(np.int32) & last, (u * side).astype(np.int32) & last])
