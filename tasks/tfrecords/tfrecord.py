"""TFRecord files without TensorFlow: each record is framed by its length and two checksums.

The frame is little-endian `uint64 length, uint32 masked_crc32c(length), bytes, uint32 masked_crc32c(bytes)`; the mask
is the one of TensorFlow's `core/lib/hash/crc32c.h`.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import google_crc32c

from tasks.errors import FormatError
from tasks.ground.files import replacing

_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")


def write_records(path: Path, payloads: Iterable[bytes]) -> None:
    """Write `payloads` as one TFRecord file; no payloads give an empty file, which is valid."""
    with replacing(path) as beside, beside.open("wb") as file:
        for payload in payloads:
            length = _LENGTH.pack(len(payload))
            file.write(length + _masked_crc(length) + payload + _masked_crc(payload))


def read_records(path: Path) -> Iterator[bytes]:
    """The payloads of a TFRecord file, each checked.

    Raises:
        FormatError: a checksum is wrong, or the file ends within a record; the message names the byte.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        while (start := file.tell()) < size:
            head = file.read(_LENGTH.size + _CRC.size)
            length, crc = head[: _LENGTH.size], head[_LENGTH.size :]
            if crc != _masked_crc(length):
                raise _damage_error(path, start, "its length does not match the length's checksum")
            count = _LENGTH.unpack(length)[0]
            if count + _CRC.size > size - file.tell():
                raise _damage_error(path, start, f"it should hold {count} bytes, but the file ends before that")
            payload = file.read(count)
            if file.read(_CRC.size) != _masked_crc(payload):
                raise _damage_error(path, start, "its bytes do not match their checksum")
            yield payload


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return _CRC.pack(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _damage_error(path: Path, offset: int, what: str) -> FormatError:
    return FormatError(f"{path}: the record at byte {offset} is damaged: {what}; write the file again")
