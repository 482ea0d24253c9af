"""Rows of a class head, one for each class and anchor, taken from weights for other classes.

The last axis of a class head's kernels and biases counts anchors, and within an anchor background and classes:
object_detection/predictors/heads/keras_class_head.py makes `num_predictions_per_location * num_class_slots` outputs and
reshapes them to `[batch, anchors, num_class_slots]`; core/box_predictor.py puts background first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ClassHead:
    """Which rows of a network's class head a base fills.

    Attributes:
        classes: of the network, in the order of their ids.
        known: of the base, likewise; empty where they are not known.
        kept: those of `classes` that the base knows, with their names there.
        background: whether the first row of an anchor is the background's.
    """

    classes: Sequence[str]
    known: Sequence[str]
    kept: Mapping[str, str]
    background: bool

    @property
    def has_other_rows(self) -> bool:
        """Whether the base's rows are not simply those of the network, in its order."""
        return tuple(self.kept.get(label) for label in self.classes) != tuple(self.known)

    @property
    def new(self) -> list[str]:
        """The classes whose rows keep the network's own values."""
        return [label for label in self.classes if label not in self.kept]

    def merge(self, key: str, initial: Values, base: Values, *, of_boxes: bool = False) -> Values | None:
        """The value of the variable `key`, from its own and the base's; None where no row of the base fits.

        `of_boxes`: its rows are those of the boxes of each class, which the background has none of.
        """
        if not self.kept:
            return None
        if not has_rows(key) or not self.has_other_rows:
            return base
        numbers = {name: i for i, name in enumerate(self.known)}
        rows = [numbers[self.kept[label]] if label in self.kept else None for label in self.classes]
        if of_boxes:
            return _with_box_rows(initial, base, rows, len(self.known))
        return with_rows(initial, base, rows, len(self.known), background=self.background)


def has_rows(key: str) -> bool:
    """Whether a variable of the class head has a row for each class, as all have but a depthwise kernel."""
    return not key.endswith("/depthwise_kernel")


def with_rows(
    initial: Values, base: Values, rows: Sequence[int | None], base_classes: int, *, background: bool = True
) -> Values | None:
    """`initial` with the rows of the classes that the base knows; None where the two do not fit together.

    The background's row comes from the base, too: what no object is, is the same for both.

    Args:
        initial: a class head's kernel `(..., anchors * slots)` or bias `(anchors * slots,)`.
        base: the same of the base.
        rows: for each class of `initial` its number in the base, counted from 0, or None where it stays new.
        base_classes: how many classes the base has.
        background: whether the first slot of an anchor is the background's.
    """
    first = int(background)
    slots, base_slots = len(rows) + first, base_classes + first
    anchors = initial.shape[-1] // slots
    if initial.shape[-1] != anchors * slots or base.shape != (*initial.shape[:-1], anchors * base_slots):
        return None
    values = initial.reshape(*initial.shape[:-1], anchors, slots).copy()
    source = base.reshape(*initial.shape[:-1], anchors, base_slots)
    values[..., :first] = source[..., :first]
    for i, row in enumerate(rows):
        if row is not None:
            values[..., first + i] = source[..., first + row]
    return values.reshape(initial.shape)


def _with_box_rows(initial: Values, base: Values, rows: Sequence[int | None], base_classes: int) -> Values | None:
    """As `with_rows`, of a last axis that counts classes, and within a class the numbers of its box."""
    numbers = initial.shape[-1] // len(rows)
    if initial.shape[-1] != numbers * len(rows) or base.shape != (*initial.shape[:-1], numbers * base_classes):
        return None
    values = initial.reshape(*initial.shape[:-1], len(rows), numbers).copy()
    source = base.reshape(*initial.shape[:-1], base_classes, numbers)
    for i, row in enumerate(rows):
        if row is not None:
            values[..., i, :] = source[..., row, :]
    return values.reshape(initial.shape)
