"""Which convolutions of a TFLite file give and take the same channels, so that a factor can move between them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema

CONV, DEPTHWISE = schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D
RELU6 = schema.ActivationFunctionType.RELU6
_NO_ACTIVATION = schema.ActivationFunctionType.NONE
# Operations that give each channel as it comes, with the number of their inputs that are data.
_PASSING = {schema.BuiltinOperator.ADD: 2, schema.BuiltinOperator.PAD: 1}


def convolutions(content: Any) -> list[Any]:
    """The convolutions of both kinds of a TFLite file that has one graph, in the order in which they run."""
    (graph,) = content.subgraphs
    return [each for each in graph.operators if code_of(content, each) in (CONV, DEPTHWISE)]


def code_of(content: Any, operator: Any) -> int:
    """The kind of an operation."""
    return int(content.operatorCodes[operator.opcodeIndex].builtinCode)


def is_grouped(content: Any, operator: Any) -> bool:
    """Whether a convolution takes its inputs in groups: its weights have fewer inputs than there are."""
    taken, weights = (content.subgraphs[0].tensors[i].shape for i in operator.inputs[:2])
    return bool(code_of(content, operator) == CONV and weights[3] != taken[3])


@dataclass
class Channels:
    """Tensors whose channels share their factors.

    Attributes:
        tensors: their indices.
        producers, consumers: the convolutions before and behind them.
        is_fixed: whether something else gives or takes one of them, so that it must stay as it is.
    """

    tensors: set[int]
    producers: list[Any] = field(default_factory=list)
    consumers: list[Any] = field(default_factory=list)
    is_fixed: bool = False


class Layers:
    """The operations of a TFLite file that has one graph, as flatbuffer_utils reads it."""

    def __init__(self, content: Any) -> None:
        """Look through all operations of `content`."""
        (self.graph,) = content.subgraphs
        self._content = content
        tensors = enumerate(self.graph.tensors)
        self._constants = {i for i, tensor in tensors if content.buffers[tensor.buffer].data is not None}
        uses = Counter(self._buffer(i) for each in self.graph.operators for i in each.inputs if i in self._constants)
        # A factor for one of the operations that share weights would be a factor for all.
        self._shared = {buffer for buffer, count in uses.items() if count > 1}
        self._of_tensor: dict[int, Channels] = {}
        for operator in self.graph.operators:
            self._add(operator)
        self._fix((*self.graph.inputs, *self.graph.outputs))

    def code(self, operator: Any) -> int:
        """The kind of an operation."""
        return code_of(self._content, operator)

    def free_channels(self) -> list[Channels]:
        """Those that lie between convolutions alone."""
        groups = {id(each): each for each in self._of_tensor.values()}.values()
        return [each for each in groups if not each.is_fixed and each.producers and each.consumers]

    def _add(self, operator: Any) -> None:
        code = self.code(operator)
        if code in (CONV, DEPTHWISE):
            self._add_convolution(operator, code)
        elif code in _PASSING and self._passes(operator, _PASSING[code]):
            self._join([*operator.inputs[: _PASSING[code]], *operator.outputs])
        else:
            self._fix((*operator.inputs, *operator.outputs))

    def _add_convolution(self, operator: Any, code: int) -> None:
        taken, given = self._channels(operator.inputs[0]), self._channels(operator.outputs[0])
        taken.consumers.append(operator)
        given.producers.append(operator)
        is_shared = any(self._buffer(i) in self._shared for i in operator.inputs[1:] if i >= 0)
        is_shared |= is_grouped(self._content, operator)
        # A depthwise convolution with several outputs a channel would spread a factor over them.
        spreads = code == DEPTHWISE and operator.builtinOptions.depthMultiplier != 1
        is_cut_otherwise = operator.builtinOptions.fusedActivationFunction not in (_NO_ACTIVATION, RELU6)
        taken.is_fixed |= is_shared or spreads
        given.is_fixed |= is_shared or spreads or is_cut_otherwise

    def _passes(self, operator: Any, data_inputs: int) -> bool:
        if any(int(tensor) in self._constants for tensor in operator.inputs[:data_inputs]):
            return False
        return data_inputs == 1 or operator.builtinOptions.fusedActivationFunction == _NO_ACTIVATION

    def _channels(self, tensor: int) -> Channels:
        return self._of_tensor.setdefault(int(tensor), Channels({int(tensor)}))

    def _join(self, tensors: Iterable[int]) -> None:
        first, *others = {id(each): each for each in map(self._channels, tensors)}.values()
        for other in others:
            first.tensors |= other.tensors
            first.producers += other.producers
            first.consumers += other.consumers
            first.is_fixed |= other.is_fixed
        self._of_tensor.update(dict.fromkeys(first.tensors, first))

    def _fix(self, tensors: Iterable[int]) -> None:
        for tensor in tensors:
            if tensor >= 0 and int(tensor) not in self._constants:
                self._channels(tensor).is_fixed = True

    def _buffer(self, tensor: int) -> int:
        return int(self.graph.tensors[tensor].buffer)
