"""Counting the fields of a message in its bytes: as many as its parsed form has."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto

from tasks.evaluation.protobuf_fields import has_more_fields
from tests.evaluation.onnx_models import model


def fields(message) -> int:
    """How many fields a parsed message has; those of numbers that are packed into one count once."""
    count = 0
    for field, value in message.ListFields():
        values = list(value) if field.is_repeated else [value]
        is_packed = field.is_repeated and field.is_packed
        count += 1 if is_packed else len(values)
        if field.message_type is not None:
            count += sum(map(fields, values))
    return count


def test_all_fields_are_counted_in_messages_within_messages():
    made = model()
    content, count = made.SerializeToString(), fields(made)
    assert count > 50
    assert has_more_fields(content, ModelProto.DESCRIPTOR, count - 1)
    assert not has_more_fields(content, ModelProto.DESCRIPTOR, count)


def test_an_empty_message_has_no_field():
    assert not has_more_fields(b"", ModelProto.DESCRIPTOR, 0)


def test_a_field_that_is_not_known_counts_and_is_not_looked_into():
    inner = model().SerializeToString()
    content = b"\xfa\x3f" + bytes([len(inner) & 0x7F | 0x80, len(inner) >> 7]) + inner
    assert not has_more_fields(content, ModelProto.DESCRIPTOR, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x08", "breaks off"),
        (b"\x08" + b"\xff" * 11, "more than ten bytes"),
        (b"\x12\x05ab", "longer than the message"),
        (b"\x09abc", "longer than the message"),
        (b"\x0b\x0c", "a field of kind 3"),
    ],
    ids=["no value", "a long number", "a short text", "a short number", "a group"],
)
def test_what_is_no_message_is_an_error(content, message):
    with pytest.raises(ValueError, match=message):
        has_more_fields(content, ModelProto.DESCRIPTOR, 10)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_answer(content):
    with suppress(ValueError):
        has_more_fields(content, ModelProto.DESCRIPTOR, 10)
