"""Weights as TensorFlow.js stores them: a manifest in JSON, and files of raw numbers beside it, often of 8 bits each.

The manifest is a list of groups, `{"paths": [...], "weights": [{"name", "shape", "dtype", "quantization"}, ...]}`: a
group's files, one after the other, hold its weights in that order. A quantized number q stands for q * scale + min.
Source: tfjs-core, `io/types.ts` (WeightsManifestConfig) and `io/io_utils.ts` (decodeWeights).
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tasks.errors import CheckpointError

MAX_BYTES = 512 * 1024**2
_MAX_MANIFEST_BYTES = 4 * 1024**2
_STORED = {"float32": "<f4", "int32": "<i4", "uint8": "u1", "uint16": "<u2"}


class _Quantization(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    scale: float = Field(allow_inf_nan=False)
    min: float = Field(allow_inf_nan=False)
    dtype: str = Field(pattern="^uint(8|16)$")


class _Weight(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    name: str = Field(min_length=1)
    shape: list[int] = Field(max_length=8)
    dtype: str = Field(pattern="^(float|int)32$")
    quantization: _Quantization | None = None

    @property
    def stored(self) -> np.dtype[Any]:
        return np.dtype(_STORED[self.quantization.dtype if self.quantization else self.dtype])

    @property
    def count(self) -> int:
        return math.prod(self.shape)


class _Group(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    # Plain names: nothing outside the manifest's folder is read.
    paths: list[str] = Field(min_length=1, max_length=1000)
    weights: list[_Weight]


_MANIFEST = TypeAdapter(list[_Group])


def read_tfjs_weights(manifest: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, npt.NDArray[np.float32]]:
    """Name -> float32 array, for every weight of floating-point numbers.

    Raises:
        CheckpointError: the manifest or one of its files is missing, broken or too large, or they do not fit together.
    """
    weights: dict[str, npt.NDArray[np.float32]] = {}
    for group in _groups(manifest):
        content = _content(manifest, group, max_bytes)
        start = 0
        for weight in group.weights:
            end = start + weight.count * weight.stored.itemsize
            if weight.dtype == "float32":
                weights[weight.name] = _values(weight, content[start:end], manifest)
            start = end
    return weights


def _groups(manifest: Path) -> list[_Group]:
    try:
        if manifest.stat().st_size > _MAX_MANIFEST_BYTES:
            raise CheckpointError(f"{manifest}: more than {_MAX_MANIFEST_BYTES} bytes; no manifest is that large")
        groups = _MANIFEST.validate_python(json.loads(manifest.read_bytes()))
    except OSError as error:
        raise CheckpointError(f"{manifest}: cannot be read ({error.strerror}); get the weights again") from error
    except (ValueError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise CheckpointError(f"{manifest}: not a TensorFlow.js weights manifest: {reason:.200}") from error
    for weight in (weight for group in groups for weight in group.weights):
        if any(length < 0 for length in weight.shape):
            raise CheckpointError(f"{manifest}: {weight.name!r:.80} has the shape {weight.shape}")
    return groups


def _content(manifest: Path, group: _Group, max_bytes: int) -> bytes:
    expected = sum(weight.count * weight.stored.itemsize for weight in group.weights)
    if expected > max_bytes:
        raise CheckpointError(f"{manifest}: promises {expected} bytes, more than the {max_bytes} allowed")
    content = bytearray()
    for name in group.paths:
        if name != Path(name).name or name in {"", ".", ".."} or "\\" in name or "\0" in name:
            raise CheckpointError(f"{manifest}: {name!r:.80} is not the name of a file beside it; refused")
        path = manifest.parent / name
        try:
            if path.stat().st_size > expected - len(content):
                raise CheckpointError(f"{path}: longer than {manifest.name} promises; get both files again")
            content += path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read ({error.strerror}); get it again") from error
    if len(content) != expected:
        raise CheckpointError(f"{manifest}: promises {expected} bytes, its files have {len(content)}; get both again")
    return bytes(content)


def _values(weight: _Weight, content: bytes, manifest: Path) -> npt.NDArray[np.float32]:
    numbers = np.frombuffer(content, dtype=weight.stored).reshape(weight.shape).astype(np.float64)
    if weight.quantization:
        numbers = numbers * weight.quantization.scale + weight.quantization.min
    with np.errstate(over="ignore"):
        values = numbers.astype(np.float32)
    if not np.isfinite(values).all():
        raise CheckpointError(f"{manifest}: {weight.name!r:.80} has a number that is not finite")
    return values
