"""What the detection operation of a TFLite file was made with, read before the interpreter makes room for it.

The operation multiplies how many boxes and classes it gives as 32-bit numbers and checks neither: where the product is
not what it writes, it writes beyond its outputs.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from flatbuffers import flexbuffers
from tensorflow.lite.python import schema_py_generated as schema

# TFLite's non-maximum suppression, which every export of the OD API ends with.
DETECTION = "TFLite_Detection_PostProcess"
# What the readers raise for offsets that lead out of the file, and for what is no text.
DAMAGED = (struct.error, ValueError, TypeError, LookupError, AttributeError, AssertionError)
# All anchors at 640 px, each with ten classes, are half as many; they take 24 MB.
_MAX_ENTRIES = 1_000_000
_MAX_GRAPHS = 1_000
_MAX_OPERATORS = 100_000
_MAX_OPTIONS = 100
_NUMBERS = ("max_detections", "max_classes_per_detection", "num_classes")
# It may be missing.
_PER_CLASS = "detections_per_class"


@dataclass(frozen=True)
class DetectionOptions:
    """What the detection operation of a TFLite file was made with.

    Attributes:
        max_detections: how many boxes it gives at most.
        classes_a_box: how many entries of its outputs belong to one box; its count is of boxes.
        num_classes: how many classes it tells apart.
    """

    max_detections: int
    classes_a_box: int
    num_classes: int


def operation_name(code: schema.OperatorCode) -> str:
    """The name of an operation that is not TFLite's own, as the interpreter reads it: to the first zero byte."""
    return (code.CustomCode() or b"").partition(b"\0")[0].decode("utf-8", "replace")


def read_detection_options(content: bytes) -> DetectionOptions | None:
    """Those of a file that `read_tflite` took; None where it has no such operation.

    Raises:
        ValueError: they cannot be read or are out of range, or the file has several such operations.
    """
    try:
        found = list(_custom_options(schema.Model.GetRootAs(content, 0)))
        if not found:
            return None
        if len(found) > 1:
            raise ValueError(f"there are {len(found)} such operations")
        numbers, by_class = _read_map(found[0])
    except DAMAGED as error:
        raise ValueError(f"the options of its detection operation cannot be read ({error})") from error
    _check_range(numbers)
    # Class by class, each entry is a box of its own.
    classes = 1 if by_class else numbers["max_classes_per_detection"]
    return DetectionOptions(numbers["max_detections"], classes, numbers["num_classes"])


def _custom_options(model: schema.Model) -> Iterator[bytes]:
    """The options of each detection operation, in whichever graph of the file."""
    if model.SubgraphsLength() > _MAX_GRAPHS:
        raise ValueError(f"{model.SubgraphsLength()} graphs")
    graphs = [model.Subgraphs(i) for i in range(model.SubgraphsLength())]
    count = sum(graph.OperatorsLength() for graph in graphs)
    if count > _MAX_OPERATORS:
        raise ValueError(f"{count} operations")
    names = [operation_name(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    for graph in graphs:
        for i in range(graph.OperatorsLength()):
            operator = graph.Operators(i)
            if names[operator.OpcodeIndex()] == DETECTION:
                # Without them here, the interpreter would take them from behind the tables.
                if not operator.CustomOptionsLength():
                    raise ValueError("there are none")
                yield operator.CustomOptionsAsNumpy().tobytes()


def _read_map(options: bytes) -> tuple[dict[str, int], bool]:
    """The whole numbers among the options, and whether boxes are suppressed class by class."""
    given = flexbuffers.GetRoot(options).AsMap
    count = len(given)
    if count > _MAX_OPTIONS or len(given.Keys) != count:
        raise ValueError(f"{len(given.Keys)} names of {count} options")
    names = [key.AsKeyBytes for key in given.Keys]
    # The interpreter bisects: of a name that is there twice, or out of order, it may find another value.
    if any(name >= following for name, following in pairwise(names)):
        raise ValueError("their names are not in order")
    numbers: dict[str, int] = {}
    for name in (*_NUMBERS, *((_PER_CLASS,) if _PER_CLASS.encode() in names else ())):
        if name.encode() not in names or not given[name].IsInt:
            raise ValueError(f"{name} is no whole number")
        numbers[name] = given[name].AsInt
    return numbers, b"use_regular_nms" in names and given["use_regular_nms"].AsBool


def _check_range(numbers: dict[str, int]) -> None:
    for name, value in numbers.items():
        if not 1 <= value <= _MAX_ENTRIES:
            raise ValueError(f"its detection operation has {name} {value}, which is not from 1 to {_MAX_ENTRIES:,}")
    boxes, classes = numbers["max_detections"], numbers["max_classes_per_detection"]
    if classes > numbers["num_classes"]:
        raise ValueError(
            f"its detection operation gives {classes} classes for each box, but knows {numbers['num_classes']}"
        )
    if boxes * classes > _MAX_ENTRIES:
        raise ValueError(
            f"its detection operation gives {boxes} boxes with {classes} classes each, over {_MAX_ENTRIES:,} in all"
        )
