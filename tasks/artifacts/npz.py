"""Weights as NumPy's .npz, from whoever made the file."""

import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.errors import CheckpointError
from tasks.ground.text import quoted

# More than ten times the largest model here; zeros of that size are 2 MB in the file, and all are held in memory.
_MAX_BYTES = 2_000_000_000
# What numpy and zipfile raise for files that are not theirs, or are damaged.
_UNREADABLE = (
    OSError, ValueError, TypeError, AttributeError, LookupError, EOFError, MemoryError, NotImplementedError,
    RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of the file by name. Every byte is read and its checksum compared; nothing is unpickled.

    Raises:
        CheckpointError: the file is missing or damaged, holds something else than numbers with a fraction, or unpacks
            to more than 2 GB.
    """
    try:
        with zipfile.ZipFile(path) as file:
            unpacked = sum(member.file_size for member in file.infolist())
        if unpacked > _MAX_BYTES:
            raise CheckpointError(f"{path}: {unpacked} bytes once unpacked; at most {_MAX_BYTES} are read")
        # numpy leaves a file open that it opened itself and could not read.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except _UNREADABLE as error:
        raise CheckpointError(f"{path}: not a readable .npz of weights: {error}; get the weights again") from error
    for name, array in arrays.items():
        # A member that is no .npy comes as bytes.
        kind = array.dtype if isinstance(array, np.ndarray) else "a file"
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            raise CheckpointError(f"{path}: {quoted(name)} holds {kind}, not weights")
    return arrays
