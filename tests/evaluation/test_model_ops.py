"""SavedModels of strangers: what reaches outside is refused before it is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tasks.errors import CheckpointError, FormatError
from tasks.evaluation import model_ops
from tasks.evaluation.model_ops import refuse_unsafe_model

SPEC = [tf.TensorSpec([None], tf.float32)]


def save(folder: Path, does) -> Path:
    """A SavedModel with a variable, whose signature calls `does` in a function of its own."""

    class Model(tf.Module):
        def __init__(self):
            self.scale = tf.Variable(2.0)

        @tf.function
        def inner(self, x):
            does(x)
            return x * self.scale

        @tf.function(input_signature=SPEC)
        def serve(self, x):
            return {"y": self.inner(x)}

    model = Model()
    tf.saved_model.save(model, str(folder), signatures=model.serve)
    return folder


def nothing(x):
    return None


def everything_a_detector_needs(x):
    tf.debugging.assert_greater(tf.size(x), -1)
    tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0])
    tf.map_fn(lambda y: y + 1, x)
    tf.image.non_max_suppression(tf.zeros([1, 4]), tf.zeros([1]), 1)
    tf.image.resize(tf.zeros([1, 2, 2, 3]), [4, 4])
    tf.image.decode_jpeg(tf.io.encode_jpeg(tf.zeros([2, 2, 3], tf.uint8)))
    tf.cond(tf.size(x) > 1, lambda: 1, lambda: 2)
    tf.random.uniform([2])
    tf.strings.regex_replace("a", "a", "b")


@pytest.mark.parametrize("does", [nothing, everything_a_detector_needs])
def test_a_model_that_computes_is_loaded(tmp_path, does):
    refuse_unsafe_model(save(tmp_path / "model", does))


def write_file(x):
    tf.io.write_file("written", "by a model")


def in_a_branch(x):
    tf.cond(tf.size(x) > 100, lambda: tf.io.write_file("written", "x"), tf.no_op)


def in_a_loop(x):
    def body(i):
        tf.io.write_file("written", "x")
        return i + 1

    tf.while_loop(lambda i: i < 3, body, [0])


HOSTILE = {
    "WriteFile": write_file,
    "WriteFile in a branch": in_a_branch,
    "WriteFile in a loop": in_a_loop,
    "ReadFile": lambda x: tf.io.read_file("/etc/passwd"),
    "MatchingFiles": lambda x: tf.io.matching_files("/home/*"),
    "EagerPyFunc": lambda x: tf.py_function(lambda y: y, [x], tf.float32),
    "PyFunc": lambda x: tf.numpy_function(lambda y: y, [x], tf.float32),
    "PrintV2": lambda x: tf.print(x, output_stream="file://written"),
    "ImmutableConst": lambda x: tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[1], memory_region_name="/etc/passwd"),
    "Dataset of a file's lines": lambda x: [tf.data.TextLineDataset("/etc/passwd").reduce(0, lambda n, _: n + 1)],
    "SaveV2": lambda x: tf.raw_ops.SaveV2(prefix="written", tensor_names=["x"], shape_and_slices=[""], tensors=[x]),
    "RestoreV2": lambda x: tf.raw_ops.RestoreV2(
        prefix="elsewhere", tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32]
    ),
    "DebugIdentityV2": lambda x: tf.raw_ops.DebugIdentityV2(input=x, debug_urls=["file://written"]),
    "DecodeProtoV2": lambda x: tf.io.decode_proto(
        tf.constant(b""), "a.B", ["c"], [tf.float32], descriptor_source="/etc/passwd"
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_model_that_reaches_outside_is_refused(tmp_path, name):
    folder = save(tmp_path / "model", HOSTILE[name])
    with pytest.raises(CheckpointError, match=rf"may do more than compute: .*'\w*{name.split()[0]}'.*--trust loads it"):
        refuse_unsafe_model(folder)


def change(folder: Path, edit) -> Path:
    """Edit the model's message in its file, as someone with a hex editor could."""
    file = folder / "saved_model.pb"
    model = SavedModel()
    model.ParseFromString(file.read_bytes())
    edit(model.meta_graphs[0])
    file.write_bytes(model.SerializeToString())
    return folder


def parts(graph):
    """The name of the function that saves, and the call in the signature."""
    save_node = next(n for n in graph.graph_def.node if n.name == graph.saver_def.save_tensor_name.partition(":")[0])
    serve = next(f for f in graph.graph_def.library.function if "signature_wrapper" in f.signature.name)
    return save_node.attr["f"].func.name, next(n for n in serve.node_def if n.op.endswith("PartitionedCall"))


def call_the_saver(graph):
    """The signature calls the function that saves, which is allowed to save for the saver alone."""
    saves, call = parts(graph)
    call.attr["f"].func.name = saves


def hand_on_the_saver(graph):
    """The function that saves is an attribute of the function that the signature calls."""
    saves, call = parts(graph)
    call.attr["f"].func.attr["g"].func.name = saves


def hand_on_the_saver_in_a_list(graph):
    saves, call = parts(graph)
    call.attr["f"].func.attr["g"].list.func.add().attr["h"].func.name = saves


def take_the_saver_for_another(graph):
    """TensorFlow's optimiser replaces functions by others of the same interface."""
    saves, _ = parts(graph)
    function = next(f for f in graph.graph_def.library.function if f.signature.name == saves)
    function.attr["api_implements"].s = b"detect"


def take_the_saver_for_a_gradient(graph):
    graph.graph_def.library.gradient.add(function_name="detect", gradient_func=parts(graph)[0])


def end_the_process(graph):
    graph.graph_def.node.add(name="x", op="Abort")


def name_another_saver(graph):
    """The call of the signature is said to be the saver's."""
    graph.saver_def.save_tensor_name = next(
        n.name for n in graph.graph_def.node if "signature_wrapper" in n.attr["f"].func.name
    )


def of_tensorflow_1(graph):
    graph.ClearField("object_graph_def")


def unknown_operation(graph):
    graph.graph_def.node.add(name="x", op="RunAnything")


def asset_outside(graph):
    graph.asset_file_def.add(filename="../../etc/passwd")


EDITS = [
    call_the_saver,
    hand_on_the_saver,
    hand_on_the_saver_in_a_list,
    take_the_saver_for_another,
    take_the_saver_for_a_gradient,
    end_the_process,
    of_tensorflow_1,
    unknown_operation,
    asset_outside,
]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_model_is_refused(tmp_path, edit):
    folder = change(save(tmp_path / "model", nothing), edit)
    with pytest.raises(CheckpointError, match="may do more than compute"):
        refuse_unsafe_model(folder)


def test_a_signature_that_is_said_to_be_the_saver_is_looked_at_all_the_same(tmp_path):
    folder = change(save(tmp_path / "model", write_file), name_another_saver)
    with pytest.raises(CheckpointError, match="WriteFile"):
        refuse_unsafe_model(folder)


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"<html>"], ids=["empty", "no message", "html"])
def test_what_is_no_model_is_a_checkpoint_error(tmp_path, content):
    (tmp_path / "saved_model.pb").write_bytes(content)
    if content:
        with pytest.raises(CheckpointError, match="not a SavedModel"):
            refuse_unsafe_model(tmp_path)
    else:
        refuse_unsafe_model(tmp_path)


@pytest.mark.parametrize(
    ("limit", "error", "sentence"),
    [
        ("_MAX_BYTES", FormatError, r"saved_model.pb: \d+ bytes; a SavedModel has at most 500"),
        ("_MAX_FIELDS", CheckpointError, "saved_model.pb: has more than 500 fields, .* --trust loads it all the same"),
    ],
)
def test_a_model_that_would_take_up_the_memory_is_refused(tmp_path, monkeypatch, limit, error, sentence):
    folder = save(tmp_path / "model", nothing)
    monkeypatch.setattr(model_ops, limit, 500)
    with pytest.raises(error, match=sentence):
        refuse_unsafe_model(folder)


def test_fields_are_counted_before_the_message_is_parsed(tmp_path, monkeypatch):
    """Empty graphs within a SavedModel, two bytes each."""
    (tmp_path / "saved_model.pb").write_bytes(b"\x12\x00" * 501)
    monkeypatch.setattr(model_ops, "_MAX_FIELDS", 500)
    monkeypatch.setattr(model_ops, "SavedModel", Unparsed)
    with pytest.raises(CheckpointError, match="more than 500 fields"):
        refuse_unsafe_model(tmp_path)


class Unparsed:
    DESCRIPTOR = SavedModel.DESCRIPTOR

    def ParseFromString(self, content):  # noqa: N802 - protobuf's name
        raise AssertionError("parsed before it was counted")


def test_a_refused_model_has_done_nothing_and_a_trusted_one_is_loaded(tmp_path):
    """Through the command line, in a process of its own."""
    export = tmp_path / "export"
    save(export / "saved_model", write_file)
    (export / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }\n")
    picture = tmp_path / "a.png"
    picture.write_bytes(tf.io.encode_png(tf.zeros([4, 4, 3], tf.uint8)).numpy())
    command = [
        sys.executable,
        "-m",
        "tasks",
        "predict",
        str(picture),
        "--model",
        str(export),
        "--out",
        str(tmp_path / "o"),
    ]
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "predict: " in done.stderr
    assert "'WriteFile'" in done.stderr
    assert not (tmp_path / "written").exists()
