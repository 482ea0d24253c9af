"""What MediaPipe's and Android's detector tasks read from a TFLite file: labels, normalisation, the layout of boxes.

The metadata is a FlatBuffers file in a buffer of the model, named TFLITE_METADATA; the labels are a text file in a ZIP
archive behind the model. Field numbers are those of MediaPipe's `metadata_schema.fbs`, values those that its
`metadata_writers/object_detector.py` gives a model that ends in TFLite's detection operation.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema

from tasks.exporting.flat_table import Byte, Float, Int, Numbers, Table, table_bytes
from tasks.exporting.tflite_tensors import file_of, read_content

_BUFFER_NAME = b"TFLITE_METADATA"
_IDENTIFIER, _PARSER_VERSION = b"M001", "1.2.0"
_LABELS = "labels.txt"
# (pixel - mean) / std: pixels of 0 to 255 come out as -1 to 1.
_MEAN = _STD = 127.5
_IMAGE, _BOXES = 2, 3  # ContentProperties
_NORMALIZATION, _THRESHOLDING = 1, 3  # ProcessUnitOptions
_VALUE_LABELS = 3  # AssociatedFileType
_RGB, _BOUNDARIES, _RATIO = 1, 1, 0


@dataclass(frozen=True)
class Metadata:
    """What goes into the file.

    Attributes:
        classes: names in label-map order.
        score_threshold: from which score on the tasks show a detection, where the app sets none.
        description: of the model, for people.
        licence: of the weights that training began from.
    """

    classes: Sequence[str]
    score_threshold: float
    description: str
    licence: str = ""


def with_metadata(model: bytes, metadata: Metadata) -> bytes:
    """The TFLite file `model` with its metadata and labels; the same bytes for the same model."""
    content = read_content(model)
    content.description = metadata.description
    buffer = schema.BufferT()
    buffer.data = list(table_bytes(_model_table(content, metadata), _IDENTIFIER))
    content.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = _BUFFER_NAME, len(content.buffers) - 1
    content.metadata = [*(each for each in content.metadata or [] if each.name != _BUFFER_NAME), entry]
    return _with_labels(file_of(content), metadata.classes)


def _with_labels(model: bytes, classes: Sequence[str]) -> bytes:
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, mode="a") as archive:
        # Without a date of its own it would have today's; the tasks read it uncompressed, in place.
        archive.writestr(zipfile.ZipInfo(_LABELS), "\n".join(" ".join(name.split()) for name in classes))
    return file.getvalue()


def _detection_outputs(subgraph: Any) -> list[int]:
    """The tensors of boxes, classes, scores and count, in the order in which the detection operation gives them.

    A model without it has outputs that are numbered by name the other way round, as the OD API's exporter does.
    """
    outputs = [int(i) for i in subgraph.outputs]
    for each in subgraph.operators:
        if len(each.outputs) == len(outputs) and set(map(int, each.outputs)) == set(outputs):
            return [int(i) for i in each.outputs]
    return sorted(outputs, key=lambda i: bytes(subgraph.tensors[i].name), reverse=True)


def _model_table(content: Any, metadata: Metadata) -> Table:
    (subgraph,) = content.subgraphs
    (entry,) = (subgraph.tensors[i] for i in subgraph.inputs)
    by_tensor = dict(zip(_detection_outputs(subgraph), _output_tables(metadata.score_threshold), strict=True))
    outputs = [by_tensor[int(i)] for i in subgraph.outputs]
    group = {0: "detection_result", 1: ["location", "category", "score"]}
    graph: Table = {2: [_input_table(entry)], 3: outputs, 8: [group]}
    table: dict[int, Any] = {0: "ObjectDetector", 1: metadata.description, 3: [graph], 7: _PARSER_VERSION}
    return {**table, 5: metadata.licence} if metadata.licence else table


def _input_table(entry: Any) -> Table:
    is_float = entry.type == schema.TensorType.FLOAT32
    low, high = ((0.0 - _MEAN) / _STD, (255.0 - _MEAN) / _STD) if is_float else (0.0, 255.0)
    normalization = {0: Numbers([_MEAN]), 1: Numbers([_STD])}
    return {
        0: "image",
        1: "The image to look for objects in, stretched to the input's width and height.",
        3: {0: Byte(_IMAGE), 1: {0: Byte(_RGB)}},
        4: [{0: Byte(_NORMALIZATION), 1: normalization}],
        5: {0: Numbers([high]), 1: Numbers([low])},
    }


def _output_tables(score_threshold: float) -> list[Table]:
    """Of boxes, classes, scores and count."""
    pair: Table = {0: Int(2), 1: Int(2)}
    # The tasks count left, top, right, bottom; the operation gives ymin, xmin, ymax, xmax.
    layout: Table = {0: Numbers([1, 0, 3, 2], whole=True), 1: Byte(_BOUNDARIES), 2: Byte(_RATIO)}
    feature: Table = {0: Byte(1), 1: {}}
    labels: Table = {0: _LABELS, 1: "Names of the classes, from 0 on.", 2: Byte(_VALUE_LABELS)}
    threshold: Table = {0: Byte(_THRESHOLDING), 1: {0: Float(score_threshold)}}
    return [
        {0: "location", 1: "The boxes of the detections.", 3: {0: Byte(_BOXES), 1: layout, 2: pair}},
        {0: "category", 1: "Their classes.", 3: {**feature, 2: pair}, 6: [labels]},
        {0: "score", 1: "Their scores.", 3: {**feature, 2: pair}, 4: [threshold]},
        {0: "number of detections", 1: "How many there are.", 3: feature},
    ]
