"""What an ONNX file would do and gives, read from its graph before a runtime sees it: a model is a program.

ONNX's own operators only compute. A runtime may have others, by other domains, and reads tensors that lie in other
files, or (onnxruntime) at an address in memory. How long a model computes is not limited.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from tasks.errors import CheckpointError
from tasks.evaluation.protobuf_fields import has_more_fields
from tasks.evaluation.refusal import refuse_operations
from tasks.ground.files import read_small
from tasks.ground.text import quoted
from tasks.model.onnx_file import INPUT, OUTPUTS

_MAX_BYTES = 1_000_000_000
# Ours have some thousand.
_MAX_FIELDS = 1_000_000
_INPUTS: list[tuple[str, int]] = [(INPUT, TensorProto.UINT8)]
_OUTPUTS: list[tuple[str, int]] = [(name, TensorProto.FLOAT) for name in OUTPUTS]
_MAX_LISTED = 6
# Both name ONNX's own operators.
_KNOWN_DOMAINS = frozenset({"", "ai.onnx"})
_REMEDY = "fetch or export it again"


def read_onnx(file: Path, *, trust: bool) -> ModelProto:
    """An ONNX model that only computes, and has our input and outputs; `trust` takes operators of any domain.

    Raises:
        CheckpointError: it is no ONNX file, or a damaged one; it has operators that are not ONNX's own, tensors in
            other files, or another input or other outputs than an export of this project.
        FormatError: it is too large, or no plain file.
    """
    content = read_small(file, _MAX_BYTES, "an ONNX model")
    model = ModelProto()
    try:
        if has_more_fields(content, ModelProto.DESCRIPTOR, _MAX_FIELDS):
            raise CheckpointError(f"{file}: has more than {_MAX_FIELDS} fields, as no detector has: {_REMEDY}")
        model.ParseFromString(content)
    except (DecodeError, ValueError) as error:
        raise CheckpointError(f"{file}: not an ONNX model, or a damaged one ({error}): {_REMEDY}") from error
    if not model.graph.node:
        raise CheckpointError(f"{file}: not an ONNX model, or an empty one: {_REMEDY}")
    messages = list(_messages(model))
    _refuse_other_files(file, messages)
    _refuse_other_interface(file, model)
    if not trust:
        nodes = [message for message in messages if isinstance(message, NodeProto)]
        refuse_operations(
            file,
            (
                quoted(f"{_text(node.domain)}::{_text(node.op_type)}")
                for node in nodes
                if node.domain not in _KNOWN_DOMAINS
            ),
        )
    return model


def _messages(message: Any) -> Iterator[Any]:
    """All nodes and tensors in `message`, wherever they lie: in graphs within nodes, functions, training graphs."""
    if isinstance(message, TensorProto):
        yield message
        return
    if isinstance(message, NodeProto):
        yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if field.is_repeated else [value]:
                yield from _messages(each)


def _refuse_other_files(file: Path, messages: Iterable[Any]) -> None:
    for message in messages:
        if isinstance(message, TensorProto) and (
            message.external_data or message.data_location == TensorProto.EXTERNAL
        ):
            places = [_text(entry.value) for entry in message.external_data if entry.key == "location"]
            raise CheckpointError(
                f"{file}: its tensor {quoted(_text(message.name))} lies in another file ({quoted(', '.join(places))}), "
                f"which is not read: save the model as one file (onnx.save_model with save_as_external_data=False)"
            )


def _refuse_other_interface(file: Path, model: ModelProto) -> None:
    constants = {constant.name for constant in model.graph.initializer}
    inputs = [_tensor(each) for each in model.graph.input if each.name not in constants]
    outputs = [_tensor(each) for each in model.graph.output]
    if inputs != _INPUTS or sorted(outputs) != sorted(_OUTPUTS):
        raise CheckpointError(
            f"{file}: has the inputs {_named(inputs)} and the outputs {_named(outputs)}; expected {_named(_INPUTS)} "
            f"and {_named(_OUTPUTS)}: export it with this project's stage export"
        )


def _tensor(value: ValueInfoProto) -> tuple[str, int]:
    return _text(value.name), value.type.tensor_type.elem_type


def _text(value: str | bytes) -> str:
    """A text of a message; what is no UTF-8 is given as bytes."""
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


def _named(tensors: list[tuple[str, int]]) -> str:
    kinds = {value: name.lower() for name, value in TensorProto.DataType.items()}
    shown = [f"{quoted(name)} ({kinds.get(kind, 'unknown')})" for name, kind in tensors[:_MAX_LISTED]]
    more = [f"{len(tensors) - _MAX_LISTED} more"] if len(tensors) > _MAX_LISTED else []
    return ", ".join(shown + more) or "none"
