"""A PyTorch state dict in the legacy (not zip) format, read without PyTorch and without trusting the file.

Such a file starts with five pickles: a magic number, the format's version, the writer's platform, the state dict, and
the keys of its storages. Then come, for each key, an int64 count and the storage's raw numbers.
Source: `_legacy_load` in torch/serialization.py.

A pickle is a program. Here it may use only the opcodes and the four names that a state dict needs, and the objects
behind these names can only hold numbers.
"""

import io
import math
import pickle
import pickletools
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.errors import CheckpointError

MAX_BYTES = 512 * 1024**2
_MAX_PICKLE_OPCODES = 1_000_000
_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_OPCODES = re.compile(
    r"PROTO|STOP|MARK|GLOBAL|REDUCE|BUILD|BINPERSID|(LONG_)?BIN(PUT|GET)|BINUNICODE|BININT[12]?|LONG1"
    r"|NONE|NEWTRUE|NEWFALSE|(EMPTY_)?TUPLE|TUPLE[123]|EMPTY_LIST|APPENDS?|EMPTY_DICT|SETITEMS?"
)
# Text, not classes: a pickle can set attributes of most objects that it names, but not of text.
_STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def read_torch_weights(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, npt.NDArray[Any]]:
    """Name -> array, in the file's order: float32, and int64 for counters.

    Raises:
        CheckpointError: the file is too large, broken, or asks for anything but named arrays.
    """
    size = path.stat().st_size
    if size > max_bytes:
        raise CheckpointError(f"{path}: {size} bytes, more than the {max_bytes} allowed for PyTorch weights")
    try:
        return _read(io.BytesIO(path.read_bytes()))
    except RecursionError as error:
        raise CheckpointError(f"{path}: not a PyTorch state dict in the legacy format: nested too deeply") from error
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError) as error:
        raise CheckpointError(f"{path}: not a PyTorch state dict in the legacy format: {error}") from error


class _Storage(NamedTuple):
    key: str
    dtype: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]


class _Rebuild:
    """Stands for `torch._utils._rebuild_tensor_v2`. No `__dict__`: a pickle cannot change it."""

    __slots__ = ()

    def __call__(
        self, storage: Any, offset: Any, shape: Any, strides: Any, _requires_grad: Any = False, _hooks: Any = None
    ) -> _Tensor:
        if not isinstance(storage, _Storage) or not _is_count(offset) or not _are_counts(shape, strides):
            raise pickle.UnpicklingError("a tensor without storage, offset, shape and strides")
        for i, (length, stride) in enumerate(zip(shape, strides, strict=True)):
            if length > 1 and stride != math.prod(shape[i + 1 :]):
                raise pickle.UnpicklingError(f"a tensor of shape {shape} with strides {strides}, not stored in order")
        if offset + math.prod(shape) > storage.length:
            raise pickle.UnpicklingError(f"a tensor of shape {shape} in a storage of {storage.length} numbers")
        return _Tensor(storage, offset, shape)


class _Unpickler(pickle.Unpickler):
    _names = {  # noqa: RUF012 - read only
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Rebuild(),
        **{("torch", name): dtype for name, dtype in _STORAGES.items()},
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._names[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no state dict needs") from None

    def persistent_load(self, pid: Any) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) != 6:
            raise pickle.UnpicklingError("a storage that is not described by six values")
        kind, dtype, key, _location, count, view = pid
        described = kind == "storage" and dtype in _STORAGES.values() and isinstance(key, str) and _is_count(count)
        if not described or view is not None:
            raise pickle.UnpicklingError(f"a storage of another kind: {pid!r}"[:200])
        return _Storage(key, dtype, count)


def _read(file: io.BytesIO) -> dict[str, npt.NDArray[Any]]:
    if _load(file) != _MAGIC or _load(file) != _VERSION:
        raise pickle.UnpicklingError("another magic number or version")
    platform = _load(file)
    if not isinstance(platform, dict) or platform.get("little_endian") is not True:
        raise pickle.UnpicklingError("not written on a little-endian machine")
    tensors, keys = _load(file), _load(file)
    if not isinstance(tensors, OrderedDict) or not all(
        isinstance(name, str) and isinstance(tensor, _Tensor) for name, tensor in tensors.items()
    ):
        raise pickle.UnpicklingError("not only names and tensors")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise pickle.UnpicklingError("no list of storage keys")
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {key: _numbers(file, storages[key]) for key in keys}
    return {name: _array(tensor, numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _load(file: io.BytesIO) -> Any:
    start = file.tell()
    for count, (opcode, argument, _position) in enumerate(pickletools.genops(file), start=1):
        if not _OPCODES.fullmatch(opcode.name):
            raise pickle.UnpicklingError(f"pickle opcode {opcode.name}, which no state dict needs")
        # The unpickler allocates its memo up to the largest index in the pickle.
        if count > _MAX_PICKLE_OPCODES or (opcode.name == "LONG_BINPUT" and (argument or 0) > _MAX_PICKLE_OPCODES):
            raise pickle.UnpicklingError("a pickle longer than a state dict's")
    end = file.tell()
    file.seek(start)
    loaded = _Unpickler(io.BytesIO(file.read(end - start))).load()
    file.seek(end)
    return loaded


def _numbers(file: io.BytesIO, storage: _Storage) -> npt.NDArray[Any]:
    dtype = np.dtype(storage.dtype)
    count = int.from_bytes(file.read(8), "little")
    if count != storage.length:
        raise pickle.UnpicklingError(f"storage {storage.key} holds {count} numbers, not {storage.length}")
    content = file.read(count * dtype.itemsize)
    if len(content) != count * dtype.itemsize:
        raise pickle.UnpicklingError(f"it ends within storage {storage.key}")
    return np.frombuffer(content, dtype=dtype)


def _array(tensor: _Tensor, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return numbers[tensor.offset : tensor.offset + math.prod(tensor.shape)].reshape(tensor.shape).copy()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40


def _are_counts(shape: object, strides: object) -> bool:
    return (
        isinstance(shape, tuple)
        and isinstance(strides, tuple)
        and len(shape) == len(strides) <= 8
        and all(map(_is_count, (*shape, *strides)))
    )
