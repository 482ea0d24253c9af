"""The options of a TFLite file's detection operation: what would write beyond its outputs is refused unrun."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from flatbuffers import flexbuffers
from tensorflow.lite.python import schema_py_generated as schema

from tasks.errors import CheckpointError
from tasks.evaluation.tflite_model import load_tflite
from tasks.evaluation.tflite_options import DETECTION, DetectionOptions, read_detection_options
from tasks.model.label_map import LABEL_MAP, write_label_map

GIVEN = {"max_detections": 100, "max_classes_per_detection": 3, "num_classes": 3, "y_scale": 10.0}
INT_MAX = 2**31 - 1


def options_of(given: dict[str, Any]) -> bytes:
    builder = flexbuffers.Builder()
    builder.MapFromElements(given)
    return bytes(builder.Finish())


def tflite(*operations: bytes | None, name: bytes = DETECTION.encode(), graphs: int = 1) -> bytes:
    """A TFLite file that is only the tables of its operations, all in the last of `graphs`."""
    model = schema.ModelT()
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = name
    model.version, model.operatorCodes = 3, [code]
    model.subgraphs = [schema.SubGraphT() for _ in range(graphs)]
    model.subgraphs[-1].operators = []
    for options in operations:
        operator = schema.OperatorT()
        operator.customOptions = None if options is None else np.frombuffer(options, np.uint8)
        model.subgraphs[-1].operators.append(operator)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def with_options(**changed: Any) -> bytes:
    return tflite(options_of({**GIVEN, **changed}))


def test_the_options_of_an_export_are_read() -> None:
    assert read_detection_options(with_options()) == DetectionOptions(100, 3, 3)
    assert read_detection_options(with_options(use_regular_nms=True)) == DetectionOptions(100, 1, 3)
    assert read_detection_options(with_options(use_regular_nms=False)) == DetectionOptions(100, 3, 3)
    assert read_detection_options(tflite(options_of(GIVEN), name=b"Another")) is None
    assert read_detection_options(tflite()) is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"max_detections": 65536, "max_classes_per_detection": 65537, "num_classes": 65537}, "65536 boxes with 65537"),
        ({"max_detections": INT_MAX, "max_classes_per_detection": INT_MAX}, "which is not from 1 to 1,000,000"),
        ({"max_detections": 3, "max_classes_per_detection": 1431655766}, "max_classes_per_detection 1431655766, which"),
        ({"max_detections": INT_MAX}, "max_detections 2147483647, which is not from 1"),
        ({"max_detections": 400_000_000, "max_classes_per_detection": 1}, "max_detections 400000000, which"),
        ({"max_detections": 2**32 + 1}, "max_detections 4294967297, which"),
        ({"max_detections": 333_334}, "333334 boxes with 3 classes each, over 1,000,000 in all"),
        ({"max_detections": 0}, "max_detections 0, which"),
        ({"max_detections": -3}, "max_detections -3, which"),
        ({"max_classes_per_detection": 10}, "gives 10 classes for each box, but knows 3"),
        ({"max_classes_per_detection": 10, "use_regular_nms": True}, "gives 10 classes for each box, but knows 3"),
        ({"num_classes": -1}, "num_classes -1, which"),
        ({"num_classes": INT_MAX}, "num_classes 2147483647, which"),
        ({"num_classes": 4}, "it tells 4 classes apart, but its label map names 3"),
        ({"detections_per_class": -1}, "detections_per_class -1, which"),
        ({"detections_per_class": INT_MAX}, "detections_per_class 2147483647, which"),
        ({"max_detections": 100.0}, "max_detections is no whole number"),
        ({"max_detections": "100"}, "max_detections is no whole number"),
    ],
)
def test_options_out_of_range_are_refused_before_the_interpreter_reads_them(
    tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    write_label_map(("cat", "dog", "bird"), tmp_path / LABEL_MAP)
    (tmp_path / "a.tflite").write_bytes(with_options(**changed))
    with pytest.raises(CheckpointError, match=rf"a\.tflite: cannot be read: .*{why}.*; run `dvc repro`"):
        load_tflite(tmp_path / "a.tflite", trust=True)


def test_an_operation_that_hides_is_found() -> None:
    """In another graph, and by a name that the interpreter reads to its first zero byte."""
    bad = options_of({**GIVEN, "max_detections": 0})
    for content in (tflite(bad, graphs=2), tflite(bad, name=DETECTION.encode() + b"\0x")):
        with pytest.raises(ValueError, match="max_detections 0"):
            read_detection_options(content)
    with pytest.raises(ValueError, match="there are 2 such operations"):
        read_detection_options(tflite(options_of(GIVEN), bad))


@pytest.mark.parametrize("options", [None, b"", b"\x01", b"\x03\x04\x01", b"\xff" * 40], ids=repr)
def test_options_that_are_no_map_are_refused(options: bytes | None) -> None:
    with pytest.raises(ValueError, match="options of its detection operation cannot be read"):
        read_detection_options(tflite(options))


def test_a_name_that_is_there_twice_is_refused() -> None:
    """The interpreter bisects, and may find the other one."""
    options = options_of({**GIVEN, "max_detectionr": 7})
    with pytest.raises(ValueError, match="their names are not in order"):
        read_detection_options(tflite(options.replace(b"max_detectionr", b"max_detections")))


def test_every_damaged_byte_of_the_options_ends_in_numbers_in_range_or_a_sentence() -> None:
    options = options_of({**GIVEN, "use_regular_nms": False})
    for i in range(len(options)):
        for value in (0, 1, 127, 255):
            with suppress(ValueError):
                read = read_detection_options(tflite(options[:i] + bytes([value]) + options[i + 1 :]))
                assert read is not None
                assert 1 <= read.classes_a_box <= read.num_classes
                assert read.max_detections * read.classes_a_box <= 1_000_000
