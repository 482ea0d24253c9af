"""Writing PyTorch's legacy format without PyTorch."""

import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np


class Global:
    """Pickled as a reference to MODULE.NAME, whether such a thing is installed or not."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Called:
    """Pickled as `function(*arguments)`."""

    def __init__(self, function: Global, arguments: tuple) -> None:
        self.function, self.arguments = function, arguments


class Storage:
    def __init__(
        self, kind: str, key: str, numbers: np.ndarray, length: int | None = None, view: object = None
    ) -> None:
        self.pid = ("storage", Global("torch", kind), key, "cpu", numbers.size if length is None else length, view)
        self.key, self.numbers = key, numbers


class _Pickler(pickle._Pickler):
    """Writes what PyTorch writes, from the stand-ins above. The stubs leave out the methods that it overrides."""

    def persistent_id(self, obj: object) -> object:
        return obj.pid if isinstance(obj, Storage) else None

    def save(self, obj: object, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())  # type: ignore[attr-defined]
        elif isinstance(obj, Called):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)  # type: ignore[attr-defined]
        else:
            super().save(obj, save_persistent_id)  # type: ignore[misc]


REBUILD = Global("torch._utils", "_rebuild_tensor_v2")


def tensor(storage: Storage, shape: tuple, strides: tuple, offset: int = 0) -> Called:
    return Called(REBUILD, (storage, offset, shape, strides, False, OrderedDict()))


def pickled(*objects: object) -> bytes:
    stream = io.BytesIO()
    for content in objects:
        _Pickler(stream, protocol=2).dump(content)
    return stream.getvalue()


def torch_file(
    path: Path,
    state: object,
    storages: list[Storage],
    *,
    magic: int = 0x1950A86A20F9469CFC6C,
    platform: object = None,
) -> Path:
    platform = {"protocol_version": 1001, "little_endian": True} if platform is None else platform
    content = pickled(magic, 1001, platform, state, [storage.key for storage in storages])
    for storage in storages:
        content += struct.pack("<q", storage.numbers.size) + storage.numbers.tobytes()
    path.write_bytes(content)
    return path
