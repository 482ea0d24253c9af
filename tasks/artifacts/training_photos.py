"""training_photos.npy in the export folder: what the photos that a model learned from look like, for comparing others.

A float32 array with a row for each photo: brightness, sharpness, then its vector. A vector is the photo's embedding in
fewer numbers, by a random projection: sums of its numbers with the signs 1 and -1, which keep all distances to about a
tenth (Johnson and Lindenstrauss, 1984; the signs by Achlioptas, Database-friendly random projections, 2003). Principal
components would be fitted to the training photos, and would show new photos of the same kind nearer to the middle than
those that they were fitted to. The signs know no photo.
"""

import hashlib
import io
import tokenize
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks.errors import FormatError
from tasks.ground.files import read_small, replacing
from tasks.ground.stage_files import restored_by

TRAINING_PHOTOS = "training_photos.npy"
VECTOR_WIDTH = 128
_COLUMNS = 2 + VECTOR_WIDTH
# Twice as many as `export` takes: memory grows with their square.
_MAX_PHOTOS = 1000
_MAX_BYTES = _MAX_PHOTOS * _COLUMNS * 4 + 1000
# Vectors of unit length are hardly longer after the projection.
_LONGEST = 10.0
_MAX_BRIGHTNESS = 255.0
# What numpy raises for headers that are none.
_UNREADABLE = (ValueError, TypeError, SyntaxError, LookupError, OverflowError, RecursionError, tokenize.TokenError)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PhotoFacts:
    """What N photos look like.

    Attributes:
        vectors: `(N, VECTOR_WIDTH)`, near to each other where the photos are alike.
        brightness: `(N,)`, the mean grey values, 0..255.
        sharpness: `(N,)`, from 0 up, see `LightAndFocus`.
    """

    vectors: Floats
    brightness: Floats
    sharpness: Floats

    def __post_init__(self) -> None:
        photos = len(self.vectors)
        for name, array, shape in (
            ("vectors", self.vectors, (photos, VECTOR_WIDTH)),
            ("brightness", self.brightness, (photos,)),
            ("sharpness", self.sharpness, (photos,)),
        ):
            if array.shape != shape:
                raise ValueError(f"expected {name} of shape {shape}, but got {array.shape}")

    def __len__(self) -> int:
        """How many photos there are."""
        return len(self.vectors)

    def chosen(self, places: npt.NDArray[np.intp]) -> "PhotoFacts":
        """Those at `places`, `(n,)`."""
        return PhotoFacts(self.vectors[places], self.brightness[places], self.sharpness[places])


def photo_facts(embeddings: Floats, light: Sequence[tuple[float, float]]) -> PhotoFacts:
    """Of N photos, from their embeddings `(N, width)` and their `(brightness, sharpness)`."""
    width = embeddings.shape[1]
    # From a hash: numpy's own random numbers may be others in its next version, and vectors must stay comparable.
    drawn = hashlib.shake_256(b"training photos").digest(width * VECTOR_WIDTH // 8)
    signs = np.unpackbits(np.frombuffer(drawn, dtype=np.uint8)).reshape(width, VECTOR_WIDTH) * np.float32(2) - 1
    measured = np.array(light, dtype=np.float32).reshape(-1, 2)
    vectors = (embeddings @ signs / np.sqrt(VECTOR_WIDTH)).astype(np.float32)
    return PhotoFacts(vectors, measured[:, 0], measured[:, 1])


def write_training_photos(photos: PhotoFacts, folder: Path) -> None:
    """Write `photos` into the export folder `folder`."""
    content = io.BytesIO()
    rows = np.column_stack([photos.brightness, photos.sharpness, photos.vectors]).astype("<f4")
    np.save(content, rows, allow_pickle=False)
    with replacing(folder / TRAINING_PHOTOS) as beside:
        beside.write_bytes(content.getvalue())


def read_training_photos(folder: Path) -> PhotoFacts | None:
    """The photos in the export folder `folder`; None where the file is missing, as in exports of older versions.

    Raises:
        FormatError: it is not what the export stage writes.
    """
    path = folder / TRAINING_PHOTOS
    if not path.is_file():
        return None
    content = read_small(path, _MAX_BYTES, "a table of training photos")
    try:
        rows = _rows(io.BytesIO(content), len(content))
    except _UNREADABLE as error:
        raise FormatError(
            f"{path}: not what the export stage writes: {error!s:.200}; {restored_by('export')}"
        ) from error
    return PhotoFacts(rows[:, 2:], rows[:, 0], rows[:, 1])


def _rows(file: io.BytesIO, size: int) -> Floats:
    """The table, `(N, 2 + VECTOR_WIDTH)`.

    Raises:
        ValueError: it is another one, or a value cannot be; others of `_UNREADABLE`: there is no such header.
    """
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"version {version} of the .npy format")
    with warnings.catch_warnings():
        # numpy reads a header once more as Python 2 would, and warns that it did.
        warnings.simplefilter("ignore")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype != np.dtype("<f4") or is_fortran or len(shape) != 2 or shape[1] != _COLUMNS:
        raise ValueError(f"{dtype} {shape}; expected float32 (photos, {_COLUMNS})")
    if shape[0] > _MAX_PHOTOS or shape[0] * _COLUMNS * 4 != size - file.tell():
        raise ValueError(f"{size - file.tell()} bytes for {shape[0]} photos")
    rows = np.frombuffer(file.read(), dtype=np.float32).reshape(shape)
    low = np.array([0.0, 0.0, *[-_LONGEST] * VECTOR_WIDTH], dtype=np.float32)
    high = np.array([_MAX_BRIGHTNESS, np.inf, *[_LONGEST] * VECTOR_WIDTH], dtype=np.float32)
    if not (np.isfinite(rows).all() and (low <= rows).all() and (rows <= high).all()):
        raise ValueError("a value is not finite, or out of range")
    return rows
