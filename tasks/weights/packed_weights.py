"""Weights in one small file: a compressed .npz of float16 arrays by name; equal arrays give equal bytes.

float16 holds 0.00006 to 65504 with eleven bits. An array that would lose more stays float32.
"""

import io
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.artifacts.npz import read_npz
from tasks.errors import CheckpointError
from tasks.ground.files import replacing

Arrays = dict[str, npt.NDArray[np.float32]]

# Below this, float16 loses bits; below 6e-8 it has only 0.
_SMALLEST_NORMAL = float(np.finfo(np.float16).tiny)
_LARGEST = float(np.finfo(np.float16).max)
# Whole channels are multiplied or divided by these, so their relative error counts; a tiny number in a kernel does not.
_SCALES = ("moving_variance", "gamma")


def write_packed(
    arrays: Mapping[str, npt.NDArray[np.floating[Any]]], path: Path, *, float32: Collection[str] = ()
) -> list[str]:
    """Write `arrays`, sorted by name; return the names of those that stayed float32, as those in `float32` do.

    Raises:
        CheckpointError: a value is not finite.
    """
    float32_names = []
    with replacing(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name in sorted(arrays):
            array = np.asarray(arrays[name], dtype=np.float32)
            if not np.isfinite(array).all():
                raise CheckpointError(f"{name}: a value is not finite; these weights are useless")
            if name not in float32 and _fits_float16(name, array):
                array = array.astype(np.float16)
            else:
                float32_names.append(name)
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            # A ZipInfo without a date is dated 1980: the time of writing must not change the bytes.
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(member, buffer.getvalue())
    return float32_names


def _fits_float16(name: str, array: npt.NDArray[np.float32]) -> bool:
    size = np.abs(array)
    if size.max(initial=0.0) > _LARGEST:
        return False
    return not (name.rsplit("/", 1)[-1] in _SCALES and bool(((size > 0) & (size < _SMALLEST_NORMAL)).any()))


def read_packed(path: Path) -> Arrays:
    """The arrays of `write_packed`, as float32.

    Raises:
        CheckpointError: the file is not what `write_packed` writes.
    """
    return {name: array.astype(np.float32) for name, array in read_npz(path).items()}
