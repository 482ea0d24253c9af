"""The OD API's label_map.pbtxt: `item { id: 1 name: 'mug' }` for each class, ids from 1.

The text is a protobuf message, `object_detection.protos.StringIntLabelMap`. It is described here again, in a separate
pool, so that neither TensorFlow nor the OD API has to be imported to read and write it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from tasks.errors import FormatError
from tasks.ground.files import replacing

# Its name in the folders of records and of exported models.
LABEL_MAP = "label_map.pbtxt"


def write_label_map(classes: Sequence[str], path: Path) -> None:
    """Write `classes` with the ids 1, 2, ... in their order."""
    message = _LABEL_MAP()
    for number, name in enumerate(classes, start=1):
        message.item.add(id=number, name=name)
    with replacing(path) as beside:
        # In index order the id comes first, as people write it, though the name has the lower number.
        text = text_format.MessageToString(message, as_utf8=True, use_index_order=True)
        beside.write_bytes(text.encode("utf-8"))


def read_label_map(path: Path) -> tuple[str, ...]:
    """The class names in id order; fields that only the OD API uses are ignored.

    Raises:
        FormatError: the file is not a label map, an item has no name, a name or an id occurs twice, or the ids are not
            1 to N.
    """
    message = _LABEL_MAP()
    try:
        text_format.Parse(path.read_bytes().decode("utf-8-sig"), message, allow_unknown_field=True)
    except (UnicodeDecodeError, text_format.ParseError) as error:
        raise FormatError(f"{path}: not a label map ({error}); expected item {{ id: 1 name: 'x' }} ...") from error
    names: dict[int, str] = {}
    for item in message.item:
        if not item.name:
            raise FormatError(f"{path}: the item with id {item.id} has no name")
        if item.id in names:
            raise FormatError(f"{path}: id {item.id} occurs twice ({names[item.id]!r}, {item.name!r}); ids must differ")
        if item.name in names.values():
            raise FormatError(f"{path}: the name {item.name!r} occurs twice; one class has one id")
        names[item.id] = str(item.name)
    if sorted(names) != list(range(1, len(names) + 1)):
        raise FormatError(f"{path}: the ids are {sorted(names)}; they must be 1 to {len(names)} without a gap")
    return tuple(names[number] for number in sorted(names))


def _label_map_class() -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="label_map.proto", package="object_detection.protos")
    item = file.message_type.add(name="StringIntLabelMapItem")
    for number, name, kind in (
        (2, "id", field.TYPE_INT32),
        (1, "name", field.TYPE_STRING),
        (3, "display_name", field.TYPE_STRING),
    ):
        item.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    file.message_type.add(name="StringIntLabelMap").field.add(
        name="item",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".object_detection.protos.StringIntLabelMapItem",
        label=field.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("object_detection.protos.StringIntLabelMap"))


_LABEL_MAP = _label_map_class()
