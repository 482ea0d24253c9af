"""`tf.train.Example` as the OD API reads it, without TensorFlow.

The messages are defined again in a pool of their own (names and numbers of TensorFlow's `core/example/feature.proto`):
they are the same on the wire, and do not clash with TensorFlow's when both are loaded. In an example, boxes are float32
fractions of the image's width and height.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from tasks.dataset.boxes import from_tf, to_tf
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.errors import FormatError
from tasks.tfrecords.tfrecord import read_records

ImageFormat = Literal["jpeg", "png"]

# In the order of `to_tf`.
_BOX_KEYS = tuple(f"image/object/bbox/{side}" for side in ("ymin", "xmin", "ymax", "xmax"))


@dataclass(frozen=True)
class DecodedExample:
    """What an example holds.

    Attributes:
        image: the objects, with boxes in pixels; `sha256` is that of `encoded`.
        encoded: the image file's bytes.
        image_format: `jpeg` or `png`.
        source_id: the image's id in the split's COCO file.
        class_ids: N ids, one for each object.
    """

    image: AnnotatedImage
    encoded: bytes
    image_format: str
    source_id: str
    class_ids: tuple[int, ...]


def encode_example(
    image: AnnotatedImage,
    encoded: bytes,
    image_format: ImageFormat,
    class_ids: Mapping[str, int],
    *,
    source_id: str,
    sha256: str,
) -> bytes:
    """A serialised example; equal input gives equal bytes.

    Args:
        image: the objects; `width` and `height` must be those of the encoded image.
        encoded: the image, encoded as `image_format` says.
        image_format: `jpeg` or `png`.
        class_ids: label-map id of each class name.
        source_id: the image's id in the split's COCO file.
        sha256: hex SHA-256 of `encoded`.
    """
    example = _EXAMPLE()
    features = example.features.feature
    for key, value in (("height", image.height), ("width", image.width)):
        features[f"image/{key}"].int64_list.value.append(value)
    for key, content in (
        ("filename", image.file_name.encode()),
        ("source_id", source_id.encode()),
        ("key/sha256", sha256.encode()),
        ("encoded", encoded),
        ("format", image_format.encode()),
    ):
        features[f"image/{key}"].bytes_list.value.append(content)
    sides = to_tf(image.boxes, height=image.height, width=image.width)
    for key, column in zip(_BOX_KEYS, sides.T, strict=True):
        features[key].float_list.value.extend(column.tolist())
    features["image/object/class/text"].bytes_list.value.extend(name.encode() for name in image.classes)
    for key, numbers in (
        ("class/label", [class_ids[name] for name in image.classes]),
        ("difficult", image.difficult.astype(int).tolist()),
        ("is_crowd", image.iscrowd.astype(int).tolist()),
    ):
        features[f"image/object/{key}"].int64_list.value.extend(numbers)
    return bytes(example.SerializeToString(deterministic=True))


def decode_example(serialised: bytes) -> DecodedExample:
    """The arguments of `encode_example`; boxes are as exact as float32 fractions allow.

    Raises:
        FormatError: not an example, or one without the OD API's keys.
    """
    example = _EXAMPLE()
    try:
        example.ParseFromString(serialised)
        features = {key: _values(feature) for key, feature in example.features.feature.items()}
        return _example_of(features)
    except (DecodeError, KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise FormatError(f"not a tf.train.Example with the OD API's keys: {error!r}") from error


def read_split(records: Path, split: str) -> tuple[AnnotatedImage, ...]:
    """The images of `split` (train, val, test) as its shards hold them, without their pixels.

    Raises:
        FormatError: shards are missing or damaged.
    """
    return tuple(decode_example(payload).image for path in shards_of(records, split) for payload in read_records(path))


def shards_of(records: Path, split: str) -> list[Path]:
    """The shards of `split` (train, val, test), in their order.

    Raises:
        FormatError: some are missing, or all.
    """
    shards = sorted(records.glob(f"{split}-*-of-*.tfrecord"))
    expected = [shard_name(split, number, len(shards)) for number in range(len(shards))]
    if not shards or [path.name for path in shards] != expected:
        found = ", ".join(path.name for path in shards) or "none"
        raise FormatError(f"{records}: the shards of {split} are not complete (found: {found}); run the records stage")
    return shards


def shard_name(split: str, number: int, count: int) -> str:
    """The file name of shard `number` (from 0) of `count`: `train-00000-of-00003.tfrecord`."""
    return f"{split}-{number:05d}-of-{count:05d}.tfrecord"


def _example_of(features: Mapping[str, Sequence[Any]]) -> DecodedExample:
    width, height = int(features["image/width"][0]), int(features["image/height"][0])
    names = tuple(name.decode() for name in features["image/object/class/text"])
    sides = np.array([features[key] for key in _BOX_KEYS], dtype=np.float64).reshape(4, len(names)).T
    image = AnnotatedImage(
        file_name=features["image/filename"][0].decode(),
        width=width,
        height=height,
        boxes=from_tf(sides, height=height, width=width),
        classes=names,
        difficult=flags(len(names), (bool(value) for value in features["image/object/difficult"])),
        iscrowd=flags(len(names), (bool(value) for value in features["image/object/is_crowd"])),
        sha256=features["image/key/sha256"][0].decode(),
    )
    return DecodedExample(
        image=image,
        encoded=features["image/encoded"][0],
        image_format=features["image/format"][0].decode(),
        source_id=features["image/source_id"][0].decode(),
        class_ids=tuple(features["image/object/class/label"]),
    )


def _values(feature: Any) -> Sequence[Any]:
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def _example_class() -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")

    def add(message: Any, number: int, name: str, kind: int | str, *, repeated: bool = False) -> Any:
        entry = message.field.add(
            name=name, number=number, label=field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
        )
        if isinstance(kind, str):
            entry.type, entry.type_name = field.TYPE_MESSAGE, f".tensorflow.{kind}"
        else:
            entry.type = kind
        return entry

    feature = descriptor_pb2.DescriptorProto(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name, kind in (
        (1, "Bytes", field.TYPE_BYTES),
        (2, "Float", field.TYPE_FLOAT),
        (3, "Int64", field.TYPE_INT64),
    ):
        add(file.message_type.add(name=f"{name}List"), 1, "value", kind, repeated=True)
        add(feature, number, f"{name.lower()}_list", f"{name}List").oneof_index = 0
    features = descriptor_pb2.DescriptorProto(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    add(entry, 1, "key", field.TYPE_STRING)
    add(entry, 2, "value", "Feature")
    add(features, 1, "feature", "Features.FeatureEntry", repeated=True)
    file.message_type.extend([feature, features])
    add(file.message_type.add(name="Example"), 1, "features", "Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


_EXAMPLE = _example_class()
