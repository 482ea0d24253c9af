"""Target assignment (which anchor learns which box): the OD API's, traced for one image instead of for every image."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import tensorflow as tf
from object_detection.core.box_list import BoxList

from tasks.detector.patching import patched


@contextmanager
def assigning(model: Any) -> Iterator[list[tf.Tensor]]:
    """Within it, a loss is traced with fewer operations; its list then holds the number of matched anchors.

    The model divides its loss by that number and does not return it.
    """
    matches: list[tf.Tensor] = []
    assign_targets = model._assign_targets

    def counting(*args: Any, **kwargs: Any) -> Any:
        targets = assign_targets(*args, **kwargs)
        matches.append(tf.reduce_sum(targets[3]))  # the box loss's weights
        return targets

    assigner = model._target_assigner
    with ExitStack() as patches:
        patches.enter_context(patched(model, "_assign_targets", counting))
        patches.enter_context(patched(assigner, "assign", _traced_once(assigner.assign)))
        yield matches


def _traced_once(assign: Any) -> Any:
    """`TargetAssigner.assign` as a function of tensors: several hundred operations, which all images share."""

    def of_tensors(anchors: tf.Tensor, boxes: tf.Tensor, *rest: Any) -> Any:
        return assign(BoxList(anchors), BoxList(boxes), *rest)

    traced = tf.function(of_tensors, autograph=False)
    return lambda anchors, boxes, *rest: traced(anchors.get(), boxes.get(), *rest)
