"""What a SavedModel would do, read from its graph before it is loaded: a model is a program.

Loading one runs its initialisers, using it its signatures. Some of TensorFlow's operations read and write files, open
connections, or call Python. A detector needs none of them, so what is not known to compute only is refused
(tensorflow.org/security: "TensorFlow models are programs"). A file that is too large, or whose message would take up
the memory, is refused, too. How long a model computes is not limited.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from google.protobuf.message import DecodeError
from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.framework import op_def_registry

from tasks.errors import CheckpointError
from tasks.evaluation.protobuf_fields import has_more_fields
from tasks.evaluation.refusal import refuse_operations
from tasks.ground.files import read_small
from tasks.ground.text import quoted

_MAX_BYTES = 1_000_000_000
# Our MobileNet has 150,000; the OD API's own exports have some times as many. As many empty messages take 800 MB.
_MAX_FIELDS = 5_000_000
# Of operations with a state, which may lie outside the model, these keep it inside.
_STATE_INSIDE = frozenset({
    "VarHandleOp", "ReadVariableOp", "AssignVariableOp", "AssignAddVariableOp", "VarIsInitializedOp",
    "DisableCopyOnRead", "ResourceGather", "DestroyResourceOp", "PartitionedCall", "StatefulPartitionedCall", "While",
    "If", "Case", "Assert", "HashTableV2", "MutableHashTableV2", "AnonymousHashTable", "InitializeTableV2",
    "LookupTableFindV2", "LookupTableSizeV2", "LookupTableImportV2", "LookupTableExportV2", "TensorArrayV3",
    "TensorArrayReadV3", "TensorArrayWriteV3", "TensorArrayGatherV3", "TensorArrayScatterV3", "TensorArraySizeV3",
    "TensorArrayCloseV3", "TensorArrayConcatV3", "TensorArraySplitV3", "RandomUniform", "RandomUniformInt",
    "RandomStandardNormal", "TruncatedNormal", "RandomShuffle", "Multinomial",
})  # fmt: skip
# Operations without a state that reach outside all the same, by name or by what they are given.
_REACHING_OUT = re.compile(
    r"Dataset|Reader|Summary|Debug|Py(Func|thon)|Host|Abort|TPU|DTensor|TRTEngine|TfLite|Proto|CallModule|Custom|Remote|"
    r"(ImmutableConst|ReadFile|MatchingFiles|GenerateVocabRemapping|LoadAndRemapMatrix|InitializeTableFromTextFile)"
)
_OUTSIDE = re.compile(r"file|path|url|address|memory_region|descriptor", re.IGNORECASE)
# What TensorFlow writes into every SavedModel to save its variables again, which is never called here ...
_SAVING = frozenset({"SaveV2", "MergeV2Checkpoints", "ShardedFilename", "RestoreV2"})
# ... and to restore them.
_RESTORING = frozenset({"RestoreV2"})
_INTERFACE = "api_implements"


def refuse_unsafe_model(folder: Path) -> None:
    """Check the SavedModel in `folder`.

    Raises:
        CheckpointError: it has operations that reach outside of it, or that are not known; it has far more fields than
            a detector; or it cannot be read.
        FormatError: it is too large, or no plain file.
    """
    file = folder / "saved_model.pb"
    other = next((folder / name for name in ("saved_model.cpb",) if (folder / name).exists()), None)
    if other is not None:
        raise CheckpointError(f"{other}: a model in pieces, which is not read: export it as saved_model.pb")
    content = read_small(file, _MAX_BYTES, "a SavedModel")
    model = SavedModel()
    try:
        if has_more_fields(content, SavedModel.DESCRIPTOR, _MAX_FIELDS):
            raise CheckpointError(
                f"{file}: has more than {_MAX_FIELDS} fields, far more than a detector; it was not loaded. If you "
                "trust whoever made it, --trust loads it all the same"
            )
        model.ParseFromString(content)
    except (DecodeError, ValueError) as error:
        raise CheckpointError(f"{file}: not a SavedModel, or a damaged one: fetch or export it again") from error
    refuse_operations(file, [entry for graph in model.meta_graphs for entry in _unsafe(graph)])


def _unsafe(graph: MetaGraphDef) -> Iterator[str]:
    """What may reach outside, for messages: operations with the place they stand in, and assets outside the folder."""
    if not graph.object_graph_def.nodes:
        # TensorFlow 1 runs parts of its graph on loading that only the graph's own names tell apart.
        yield "a graph of TensorFlow 1, which is not looked into"
    for asset in graph.asset_file_def:
        if _leads_out(asset.filename):
            yield f"the asset {quoted(asset.filename)}"
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    saving, restoring = _saver_functions(graph, functions)
    yield from _unsafe_nodes(graph.graph_def.node, "the graph", frozenset())
    for name, function in functions.items():
        allowed = _SAVING if name in saving else _RESTORING if name in restoring else frozenset[str]()
        yield from _unsafe_nodes(function.node_def, name, allowed)


def _saver_functions(graph: MetaGraphDef, functions: dict[str, FunctionDef]) -> tuple[set[str], set[str]]:
    """The functions that only the saver calls, to save and to restore: none that anything else calls."""
    saver = {_node_name(graph.saver_def.save_tensor_name), _node_name(graph.saver_def.restore_op_name)}
    nodes = {node.name: node for node in graph.graph_def.node}
    others = [node for name, node in nodes.items() if name not in saver]
    objects = graph.object_graph_def
    by_objects = {
        *objects.concrete_functions,
        *(name for node in objects.nodes for name in node.function.concrete_functions),
        *(node.bare_concrete_function.concrete_function_name for node in objects.nodes),
    }
    # TensorFlow may put a function in the place of another of the same interface, or take it for a gradient.
    in_place = {name for name, function in functions.items() if _INTERFACE in function.attr}
    in_place |= {gradient.gradient_func for gradient in graph.graph_def.library.gradient}
    elsewhere = _reachable(_called(others) | by_objects | in_place, functions)
    found = []
    for name in (graph.saver_def.save_tensor_name, graph.saver_def.restore_op_name):
        node = nodes.get(_node_name(name))
        found.append(_reachable(_called([node]), functions) - elsewhere if node is not None else set())
    save, restore = found
    return save - restore, restore


def _node_name(tensor: str) -> str:
    return tensor.partition(":")[0]


def _called(nodes: Iterable[NodeDef]) -> set[str]:
    """The names of the functions that `nodes` name in their attributes."""
    called: set[str] = set()
    for node in nodes:
        called.add(node.op)
        called.update(_functions_in(node.attr.values()))
    return called


def _functions_in(values: Iterable[AttrValue]) -> Iterator[str]:
    """The functions named in attributes, in lists, too, and those that are given to a function as its attributes."""
    for value in values:
        for function in (value.func, *value.list.func):
            yield function.name
            yield from _functions_in(function.attr.values())


def _reachable(names: set[str], functions: dict[str, FunctionDef]) -> set[str]:
    reached: set[str] = set()
    waiting = [name for name in names if name in functions]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [other for other in _called(functions[name].node_def) if other in functions]
    return reached


def _unsafe_nodes(nodes: Iterable[NodeDef], where: str, allowed: frozenset[str]) -> Iterator[str]:
    for node in nodes:
        if node.op not in allowed and not _only_computes(node.op):
            yield f"{quoted(node.op)} (in {quoted(where)})"


def _only_computes(name: str) -> bool:
    """Whether TensorFlow has the operation, and it changes and reads nothing outside of the model."""
    definition = op_def_registry.get(name)
    if definition is None:
        # A function of the model's own, which is looked at itself, is called by its name; anything else is not known.
        return False
    if definition.is_stateful:
        return name in _STATE_INSIDE
    given = (argument.name for argument in (*definition.input_arg, *definition.attr))
    return _REACHING_OUT.search(name) is None and not any(map(_OUTSIDE.search, given))


def _leads_out(name: str) -> bool:
    paths = (PurePosixPath(name), PureWindowsPath(name))
    return any(path.is_absolute() or ".." in path.parts for path in paths)
