"""TFLite files of strangers: what may do more than compute is refused before the interpreter reads it."""

from contextlib import suppress
from pathlib import Path

import flatbuffers
import pytest
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from tasks.errors import CheckpointError, PipelineError
from tasks.evaluation.tflite_model import load_tflite
from tasks.evaluation.tflite_ops import read_tflite

CUSTOM = schema.BuiltinOperator.CUSTOM
ADD = schema.BuiltinOperator.ADD


def tflite(path: Path, *operations: tuple[int, str | None]) -> Path:
    """A TFLite file that lists `operations`: the number of a built-in one, the name of a custom one."""
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [], [schema.SubGraphT()]
    for builtin, custom in operations:
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.customCode = builtin, builtin, custom
        model.operatorCodes.append(code)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export folder with a TFLite file that would write `written` beside itself."""
    folder = tmp_path_factory.mktemp("stranger")

    @tf.function(input_signature=[tf.TensorSpec([1, 4, 4, 3], tf.float32)])
    def serve(images):
        tf.io.write_file(str(folder / "written"), "by a model")
        return images * 2.0

    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], tf.Module())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    (folder / "model.tflite").write_bytes(converter.convert())
    (folder / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }\n")
    return folder


def test_a_model_that_writes_files_is_refused_and_a_trusted_one_finds_no_such_operation(writing: Path) -> None:
    with pytest.raises(CheckpointError, match=r"may do more than compute: 'FlexWriteFile'; it was not loaded.*--trust"):
        load_tflite(writing / "model.tflite")
    assert not (writing / "written").exists()

    # TensorFlow's interpreter ran it until 2.15; should it do so again, `trust` means that it may.
    with pytest.raises(CheckpointError, match=r"model.tflite: cannot be read: Select TensorFlow op"):
        load_tflite(writing / "model.tflite", trust=True)
    assert not (writing / "written").exists()


@pytest.mark.parametrize(
    "operations",
    [[(ADD, None)], [(CUSTOM, "TFLite_Detection_PostProcess"), (ADD, None)], []],
    ids=["its own", "the OD API's", "none"],
)
def test_a_model_that_computes_is_read(tmp_path: Path, operations: list[tuple[int, str | None]]) -> None:
    file = tflite(tmp_path / "a.tflite", *operations)
    assert read_tflite(file, trust=False) == file.read_bytes()


@pytest.mark.parametrize(
    "name", ["FlexReadFile", "FlexEagerPyFunc", "MyOp", "TFLite_Detection_PostProcess2", "Flex\0x"]
)
@pytest.mark.parametrize("builtin", [CUSTOM, ADD], ids=["custom", "said to be built in"])
def test_an_operation_of_another_name_is_refused(tmp_path: Path, name: str, builtin: int) -> None:
    file = tflite(tmp_path / "a.tflite", (ADD, None), (builtin, name))
    with pytest.raises(CheckpointError, match=f"compute: '{name.partition(chr(0))[0]}'; it was not loaded"):
        read_tflite(file, trust=False)
    read_tflite(file, trust=True)


@pytest.mark.parametrize(
    "content",
    [b"", b"TFL3", b"\x00\x00\x00\x00TFL3", b"\xff\xff\xff\xffTFL3" + bytes(50), b"<html>" * 20],
    ids=["empty", "short", "no root", "an offset that leads out", "html"],
)
def test_what_is_no_tflite_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tflite").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.tflite: not a TFLite model, or a damaged one"):
        read_tflite(tmp_path / "a.tflite", trust=False)


def test_every_damaged_byte_ends_in_a_sentence(tmp_path: Path) -> None:
    content = tflite(tmp_path / "a.tflite", (ADD, None), (CUSTOM, "FlexWriteFile")).read_bytes()
    for i in range(len(content)):
        for value in (0, 127, 255):
            (tmp_path / "a.tflite").write_bytes(content[:i] + bytes([value]) + content[i + 1 :])
            with suppress(PipelineError):
                read_tflite(tmp_path / "a.tflite", trust=False)
