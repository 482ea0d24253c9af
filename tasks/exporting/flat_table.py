"""FlatBuffers tables written without generated code: a table is its fields by number, as its schema counts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import flatbuffers


@dataclass(frozen=True)
class Byte:
    """A scalar of one byte: an enumeration, or the kind of a union."""

    value: int


@dataclass(frozen=True)
class Int:
    """A scalar of four bytes."""

    value: int


@dataclass(frozen=True)
class Float:
    """A scalar of four bytes."""

    value: float


@dataclass(frozen=True)
class Numbers:
    """A vector of float32, or of uint32 where `whole`."""

    values: Sequence[float]
    whole: bool = False


Field: TypeAlias = "Byte | Int | Float | Numbers | str | Table | Sequence[str] | Sequence[Table]"
Table: TypeAlias = Mapping[int, Field]


def table_bytes(table: Table, identifier: bytes) -> bytes:
    """A file whose root is `table`; `identifier` has four bytes."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, table), identifier)
    return bytes(builder.Output())


def _table(builder: Any, table: Table) -> int:
    # What a table refers to must be whole before the table is begun.
    placed = {
        slot: field if isinstance(field, Byte | Int | Float) else _place(builder, field)
        for slot, field in table.items()
    }
    builder.StartObject(max(placed, default=-1) + 1)
    for slot, field in placed.items():
        if isinstance(field, Byte):
            builder.PrependInt8Slot(slot, field.value, 0)
        elif isinstance(field, Int):
            builder.PrependInt32Slot(slot, field.value, 0)
        elif isinstance(field, Float):
            builder.PrependFloat32Slot(slot, field.value, 0.0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, field, 0)
    return int(builder.EndObject())


def _place(builder: Any, field: Any) -> int:
    if isinstance(field, str):
        return int(builder.CreateString(field))
    if isinstance(field, Mapping):
        return _table(builder, field)
    if isinstance(field, Numbers):
        put = builder.PrependUint32 if field.whole else builder.PrependFloat32
        return _vector(builder, field.values, put)
    return _vector(builder, [_place(builder, each) for each in field], builder.PrependUOffsetTRelative)


def _vector(builder: Any, values: Sequence[float], put: Any) -> int:
    builder.StartVector(4, len(values), 4)
    # FlatBuffers are written from their end.
    for value in reversed(values):
        put(value)
    return int(builder.EndVector())
