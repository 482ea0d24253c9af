"""How many fields a protobuf message has, counted in its bytes before it is parsed.

An empty message within a message takes two bytes of a file and 160 of memory.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_LENGTH = {_FIXED64: 8, _FIXED32: 4}


def has_more_fields(content: bytes, descriptor: Any, limit: int) -> bool:
    """Whether a message of `descriptor`, with the messages in it, has more than `limit` fields.

    Raises:
        ValueError: the bytes are no such message.
    """
    count = 0
    view = memoryview(content)
    waiting = [(descriptor, 0, len(view))]
    while waiting:
        kind, start, end = waiting.pop()
        for number, wire_type, first, last in _fields(view, start, end):
            count += 1
            if count > limit:
                return True
            field = kind.fields_by_number.get(number)
            if wire_type == _BYTES and field is not None and field.type == FieldDescriptor.TYPE_MESSAGE:
                waiting.append((field.message_type, first, last))
    return False


def _fields(view: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type and place of each field between two places."""
    while at < end:
        tag, at = _varint(view, at, end)
        wire_type = tag & 7
        first = at
        if wire_type == _VARINT:
            _, at = _varint(view, at, end)
        elif wire_type == _BYTES:
            length, first = _varint(view, at, end)
            at = first + length
        elif wire_type in _FIXED_LENGTH:
            at += _FIXED_LENGTH[wire_type]
        else:
            raise ValueError(f"a field of kind {wire_type}")
        if at > end:
            raise ValueError("a field is longer than the message that it is in")
        yield tag >> 3, wire_type, first, at


def _varint(view: memoryview, at: int, end: int) -> tuple[int, int]:
    """A number of up to ten bytes, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise ValueError("it breaks off")
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")
