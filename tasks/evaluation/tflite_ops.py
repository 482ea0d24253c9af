"""What a TFLite file would do, read from its list of operations before it is loaded: a model is a program.

TFLite's own operations only compute. TensorFlow's, which a TFLite file may name as `Flex...`, write files, too, where
an interpreter has them: that of TensorFlow 2.15 had, that of 2.21 has not.
"""

from collections.abc import Iterator
from pathlib import Path

from tensorflow.lite.python import schema_py_generated as schema

from tasks.errors import CheckpointError
from tasks.evaluation.refusal import refuse_operations
from tasks.evaluation.tflite_options import DAMAGED, DETECTION, operation_name
from tasks.ground.files import read_small
from tasks.ground.text import quoted

_MAX_BYTES = 1_000_000_000
_VERSION = 3
_MAX_CODES = 10_000


def read_tflite(file: Path, *, trust: bool) -> bytes:
    """The content of a TFLite file that only computes; `trust` takes any.

    Raises:
        CheckpointError: it names operations that are not TFLite's own, or is no TFLite file, or is damaged.
    """
    content = read_small(file, _MAX_BYTES, "a TFLite model")
    try:
        if not schema.Model.ModelBufferHasIdentifier(content, 0):
            raise ValueError("it does not begin as one")
        unsafe = [quoted(name) for name in _custom_operations(content) if name != DETECTION]
    except DAMAGED as error:
        raise CheckpointError(
            f"{file}: not a TFLite model, or a damaged one ({error}): fetch or export it again"
        ) from error
    if not trust:
        refuse_operations(file, unsafe)
    return content


def _custom_operations(content: bytes) -> Iterator[str]:
    """The names of the operations that are not TFLite's own."""
    model = schema.Model.GetRootAs(content, 0)
    count = model.OperatorCodesLength()
    if model.Version() != _VERSION or not model.SubgraphsLength() or count > _MAX_CODES:
        raise ValueError(f"version {model.Version()}, {model.SubgraphsLength()} graphs, {count} kinds of operations")
    for i in range(count):
        if model.OperatorCodes(i).CustomCode():
            yield operation_name(model.OperatorCodes(i))
