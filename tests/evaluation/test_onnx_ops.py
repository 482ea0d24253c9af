"""ONNX files of strangers: what may do more than compute, or is none of ours, is refused before a runtime reads it."""

from contextlib import suppress

import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from tasks.errors import CheckpointError, PipelineError
from tasks.evaluation import onnx_ops
from tasks.evaluation.onnx_ops import read_onnx
from tests.evaluation.onnx_models import body, model, outside, stranger, written


def in_the_graph(made, node):
    made.graph.node.append(node)


def in_a_branch(made, node):
    made.graph.node.append(helper.make_node("If", ["c"], ["y"], then_branch=body(node), else_branch=body(node)))


def in_a_branch_in_a_loop(made, node):
    inner = helper.make_node("If", ["c"], ["y"], then_branch=body(node), else_branch=body(node))
    made.graph.node.append(helper.make_node("Loop", ["n", "c"], ["z"], body=body(inner)))


def in_a_scan(made, node):
    made.graph.node.append(helper.make_node("Scan", ["n"], ["z"], body=body(node), num_scan_inputs=1))


def in_graphs_of_a_node(made, node):
    made.graph.node.append(helper.make_node("Many", ["n"], ["z"], graphs=[body(node)]))


def in_a_function(made, node):
    made.functions.append(helper.make_function("", "F", [], ["x"], [node], [helper.make_opsetid("", 17)]))


def in_a_training_graph(made, node):
    made.training_info.add().algorithm.CopyFrom(body(node))


PLACES = [
    in_the_graph,
    in_a_branch,
    in_a_branch_in_a_loop,
    in_a_scan,
    in_graphs_of_a_node,
    in_a_function,
    in_a_training_graph,
]


@pytest.mark.parametrize("put", PLACES)
def test_an_operator_of_another_domain_is_refused_wherever_it_is(tmp_path, put):
    made = model()
    put(made, stranger())
    file = written(tmp_path / "a.onnx", made)
    with pytest.raises(
        CheckpointError, match=r"a\.onnx: .*may do more than compute: 'com\.stranger::RunAnything'; .*--trust"
    ):
        read_onnx(file, trust=False)
    assert read_onnx(file, trust=True) == made


@pytest.mark.parametrize("domain", ["", "ai.onnx"])
def test_operators_of_onnx_are_read(tmp_path, domain):
    made = model()
    in_a_branch(made, helper.make_node("Identity", ["n"], ["x"], domain=domain))
    assert read_onnx(written(tmp_path / "a.onnx", made), trust=False) == made


def as_constant(made, tensor):
    made.graph.initializer.append(tensor)


def as_sparse_constant(made, tensor):
    made.graph.sparse_initializer.add().indices.CopyFrom(tensor)


def as_attribute(made, tensor):
    made.graph.node.append(helper.make_node("Constant", [], ["y"], value=tensor))


def in_a_list_of_a_branch(made, tensor):
    in_a_branch(made, helper.make_node("Identity", ["n"], ["x"], tensors=[tensor]))


def as_default_of_a_function(made, tensor):
    in_a_function(made, helper.make_node("Identity", ["n"], ["x"]))
    made.functions[0].attribute_proto.append(helper.make_attribute("a", tensor))


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize(
    "put", [as_constant, as_sparse_constant, as_attribute, in_a_list_of_a_branch, as_default_of_a_function]
)
def test_a_tensor_in_another_file_is_refused_wherever_it_is(tmp_path, put, trust):
    made = model()
    put(made, outside("../../etc/passwd"))
    with pytest.raises(
        CheckpointError, match=r"its tensor 'w' lies in another file \('\.\./\.\./etc/passwd'\), .*as one file"
    ):
        read_onnx(written(tmp_path / "a.onnx", made), trust=trust)


@pytest.mark.parametrize("without", ["location", "mark"])
def test_half_a_reference_to_another_file_is_refused(tmp_path, without):
    """The second is onnxruntime's for an address in memory, in a tensor that is not said to lie elsewhere."""
    tensor = outside("*/_ORT_MEM_ADDR_/*")
    tensor.ClearField("external_data" if without == "location" else "data_location")
    made = model()
    made.graph.initializer.append(tensor)
    with pytest.raises(CheckpointError, match="lies in another file"):
        read_onnx(written(tmp_path / "a.onnx", made), trust=False)


def renamed_input(made):
    made.graph.input[0].name = "images"


def float_input(made):
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def one_input_more(made):
    made.graph.input.add(name="more")


def no_input(made):
    made.graph.ClearField("input")


def one_output_less(made):
    del made.graph.output[0]


def whole_counts(made):
    made.graph.output[3].type.tensor_type.elem_type = TensorProto.INT64


def one_output_twice(made):
    made.graph.output.append(made.graph.output[0])


@pytest.mark.parametrize(
    "edit", [renamed_input, float_input, one_input_more, no_input, one_output_less, whole_counts, one_output_twice]
)
def test_another_input_or_output_is_refused(tmp_path, edit):
    made = model()
    edit(made)
    with pytest.raises(
        CheckpointError,
        match=r"a\.onnx: has the inputs .* expected 'input_tensor' \(uint8\) and 'detection_boxes' .*float",
    ):
        read_onnx(written(tmp_path / "a.onnx", made), trust=True)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 100, b"<html>" * 20, model().SerializeToString()[:-20], b"\x0b" * 10, b"\x3a\xff\xff\xff\xff\x0f"],
    ids=["empty", "no message", "html", "broken off", "groups", "a length beyond the end"],
)
def test_what_is_no_onnx_file_is_named(tmp_path, content):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.onnx: not an ONNX model, or an? "):
        read_onnx(tmp_path / "a.onnx", trust=False)


def test_a_missing_file_a_folder_and_a_large_file_are_named(tmp_path, monkeypatch):
    with pytest.raises(PipelineError, match=r"a\.onnx: cannot be read: No such file"):
        read_onnx(tmp_path / "a.onnx", trust=False)
    with pytest.raises(PipelineError, match="a pipe, a device or a folder; an ONNX model is a plain file"):
        read_onnx(tmp_path, trust=False)
    monkeypatch.setattr(onnx_ops, "_MAX_BYTES", 10)
    with pytest.raises(PipelineError, match="bytes; an ONNX model has at most 10"):
        read_onnx(written(tmp_path / "a.onnx", model()), trust=False)


def test_a_model_of_empty_nodes_is_refused_before_it_takes_memory(tmp_path):
    """Two bytes a node in the file, eighty times that in memory."""
    made = model()
    node = ModelProto()
    node.graph.node.add()
    (tmp_path / "a.onnx").write_bytes(made.SerializeToString() + node.SerializeToString() * 600_000)
    with pytest.raises(CheckpointError, match="more than 1000000 fields, as no detector has"):
        read_onnx(tmp_path / "a.onnx", trust=True)


def plain(made):
    return None


def elsewhere(made):
    as_attribute(made, outside())


def strange(made):
    in_a_branch(made, stranger())


@pytest.mark.parametrize("edit", [plain, elsewhere, strange])
def test_every_damaged_byte_ends_in_a_sentence(tmp_path, edit):
    made = model(metadata={"classes": '["cat"]'})
    edit(made)
    content = made.SerializeToString()
    for i in range(len(content)):
        for value in (0, 127, 255):
            (tmp_path / "a.onnx").write_bytes(content[:i] + bytes([value]) + content[i + 1 :])
            with suppress(PipelineError):
                read_onnx(tmp_path / "a.onnx", trust=False)


def test_the_model_of_the_tests_is_a_valid_one():
    onnx.checker.check_model(model(), full_check=True)
