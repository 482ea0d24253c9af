"""Nodes and constants of an ONNX graph: adding them one by one, and giving those of a converter names of their own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper


@dataclass
class Nodes:
    """A list of nodes that grows, with the constants that they use.

    Attributes:
        prefix: begins every name that is given here.
        nodes: in an order in which they can be run.
        constants: their initializers.
    """

    prefix: str
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: npt.ArrayLike, dtype: type[np.generic]) -> str:
        """Add a constant; its name in the graph."""
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), f"{self.prefix}{name}"))
        return self.constants[-1].name

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output, which is named `output` as it stands if that is one of the graph's; its name."""
        name = f"{self.prefix}{output}"
        self.append(operator, inputs, [name], **attributes)
        return name

    def append(self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        """Add a node whose outputs have these names."""
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0], **attributes))


def rename(graph: GraphProto, names: Mapping[str, str], *, prefix: str = "") -> Nodes:
    """What the outputs of `graph` need, in an order and with names that only its structure decides.

    A converter's own names count what the process did before, so that two exports would differ.

    Args:
        graph: has no graphs within nodes, and its outputs are among the keys of `names`.
        names: of inputs and outputs, which are given here.
        prefix: begins all other names.
    """
    constants = {constant.name: constant for constant in graph.initializer}
    new = dict(names)
    result = Nodes(prefix)
    counts: dict[str, int] = {}
    for node in _in_order(graph):
        for name in node.input:
            if name in constants and name not in new:
                new[name] = f"{prefix}constant_{len(result.constants)}"
                result.constants.append(_renamed_constant(constants[name], new[name]))
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
        own_name = f"{prefix}{_snake_case(node.op_type)}_{counts[node.op_type]}"
        for i, name in enumerate(node.output):
            new.setdefault(name, f"{own_name}_{i}" if i else own_name)
        result.nodes.append(_renamed_node(node, own_name, {**new, "": ""}))
    return result


def _in_order(graph: GraphProto) -> Iterator[NodeProto]:
    """The nodes that the outputs of `graph` need, each after those that it needs; the first output's come first."""
    makers = {name: i for i, node in enumerate(graph.node) for name in node.output}
    seen: set[int] = set()
    # A node that is met again is left the second time, when what it needs has been given.
    waiting = [(makers[output.name], False) for output in reversed(graph.output)]
    while waiting:
        i, is_ready = waiting.pop()
        if is_ready:
            yield graph.node[i]
        elif i not in seen:
            seen.add(i)
            waiting.append((i, True))
            waiting += [(makers[name], False) for name in reversed(graph.node[i].input) if name in makers]


def _renamed_constant(constant: TensorProto, name: str) -> TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(constant), name)


def _renamed_node(node: NodeProto, name: str, new: Mapping[str, str]) -> NodeProto:
    inputs, outputs = [new[each] for each in node.input], [new[each] for each in node.output]
    renamed = helper.make_node(node.op_type, inputs, outputs, name=name, domain=node.domain or None)
    renamed.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
    return renamed


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
