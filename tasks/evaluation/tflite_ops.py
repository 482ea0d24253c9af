"""What a TFLite file would do, read from its list of operations before it is loaded: a model is a program.

TFLite's own operations only compute. TensorFlow's, which a TFLite file may name as `Flex...`, write files, too, where
an interpreter has them: that of TensorFlow 2.15 had, that of 2.21 has not.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flatbuffers import flexbuffers
from tensorflow.lite.python import schema_py_generated as schema

from tasks.errors import CheckpointError
from tasks.evaluation.refusal import refuse_operations
from tasks.ground.files import read_small
from tasks.ground.text import quoted

_MAX_BYTES = 1_000_000_000
_VERSION = 3
_MAX_CODES = 10_000
# TFLite's non-maximum suppression, which every export of the OD API ends with.
_KNOWN = frozenset({"TFLite_Detection_PostProcess"})
# What the reader raises for offsets that lead out of the file, and for what is no text.
_DAMAGED = (struct.error, ValueError, TypeError, LookupError, AttributeError)


def read_tflite(file: Path, *, trust: bool) -> bytes:
    """The content of a TFLite file that only computes; `trust` takes any.

    Raises:
        CheckpointError: it names operations that are not TFLite's own, or is no TFLite file, or is damaged.
    """
    content = read_small(file, _MAX_BYTES, "a TFLite model")
    try:
        if not schema.Model.ModelBufferHasIdentifier(content, 0):
            raise ValueError("it does not begin as one")
        unsafe = [quoted(name) for name in _custom_operations(content) if name not in _KNOWN]
    except _DAMAGED as error:
        raise CheckpointError(
            f"{file}: not a TFLite model, or a damaged one ({error}): fetch or export it again"
        ) from error
    if not trust:
        refuse_operations(file, unsafe)
    return content


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


def read_detection_options(content: bytes) -> DetectionOptions | None:
    """Those of a file that `read_tflite` took; None where it has no such operation.

    Raises:
        ValueError: they cannot be read, or are out of range.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    codes = [code.customCode.decode("utf-8", "replace") if code.customCode else "" for code in model.operatorCodes]
    for operator in model.subgraphs[0].operators:
        if codes[operator.opcodeIndex] in _KNOWN:
            try:
                given = flexbuffers.Loads(bytes(operator.customOptions))
                # Class by class, each entry is a box of its own.
                classes = 1 if given.get("use_regular_nms") else int(given["max_classes_per_detection"])
                options = DetectionOptions(int(given["max_detections"]), classes, int(given["num_classes"]))
            except _DAMAGED as error:
                raise ValueError(f"the options of its detection operation cannot be read ({error})") from error
            if min(options.max_detections, options.classes_a_box, options.num_classes) < 1:
                raise ValueError("its detection operation gives no boxes or no classes")
            return options
    return None


def _custom_operations(content: bytes) -> Iterator[str]:
    """The names of the operations that are not TFLite's own, as the interpreter reads them: to the first zero byte."""
    model = schema.Model.GetRootAs(content, 0)
    count = model.OperatorCodesLength()
    if model.Version() != _VERSION or not model.SubgraphsLength() or count > _MAX_CODES:
        raise ValueError(f"version {model.Version()}, {model.SubgraphsLength()} graphs, {count} kinds of operations")
    for i in range(count):
        name = model.OperatorCodes(i).CustomCode()
        if name:
            yield name.partition(b"\0")[0].decode("utf-8", "replace")
