"""What a larger input would show of the training boxes, and what it would cost."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.artifacts.lint import Finding
from tasks.dataset.dataset import AnnotatedImage
from tasks.lint.alternatives import Alternatives, smallest_enough, times_the_time
from tasks.lint.finding import percent
from tasks.model.anchors import Sizes, best_iou, box_sizes
from tasks.model.geometry import ModelGeometry

# Less is within what another seed changes; and objects of fewer pixels are what detectors miss first.
_WORTH_SAYING = 0.05
_SMALL_PX = 16


def check_size(
    images: Sequence[AnnotatedImage], model: str, geometry: ModelGeometry, alternatives: Alternatives
) -> list[Finding]:
    """A larger input that lets anchors match 5 % more boxes or more, or boxes so small that few pixels show them."""
    at_input, _ = box_sizes(images, geometry.resizer)
    if not len(at_input):
        return []

    def unmatched(other: ModelGeometry) -> float:
        return float((best_iou(_scaled(at_input, geometry, other), other.anchors) < other.matched_iou).mean())

    def small(other: ModelGeometry) -> float:
        return float((_scaled(at_input, geometry, other).min(axis=1) < _SMALL_PX).mean())

    sides = [smallest_enough(unmatched, geometry, alternatives.larger)]
    median = float(np.median(at_input.min(axis=1)))
    if median < _SMALL_PX:
        sides.append(smallest_enough(small, geometry, alternatives.larger))
    side_px = max((side for side in sides if side is not None), default=None)
    if side_px is None:
        return []
    larger = alternatives.larger[side_px]
    now, then = 1 - unmatched(geometry), 1 - unmatched(larger)
    if then - now < _WORTH_SAYING * now and median >= _SMALL_PX:
        return []
    widened = float(np.median(_scaled(at_input, geometry, larger).min(axis=1)))
    return [
        Finding(
            "info",
            "model.name",
            model,
            f"the median training box measures {median:.0f} px (its shorter side) at its input of {geometry.resizer}; "
            f"at {side_px} px: {widened:.0f} px, {_matched(now, then, geometry)}"
            f"{times_the_time(larger, geometry)}{_enlarged(images, side_px)}",
            alternatives.set_size.format(side_px),
        )
    ]


def _scaled(sizes: Sizes, geometry: ModelGeometry, other: ModelGeometry) -> npt.NDArray[np.float64]:
    """`(N, 2)` sizes at the input of `geometry`, as they are at the input of `other`; both scale alike."""
    (height, width), (other_height, other_width) = geometry.resizer.canvas, other.resizer.canvas
    return sizes * [other_width / width, other_height / height]


def _matched(now: float, then: float, geometry: ModelGeometry) -> str:
    if not geometry.has_anchors:
        return ""
    return (
        f"{_more(now, then)} (a box counts where an anchor overlaps it by an IoU of {geometry.matched_iou:g}: "
        f"{percent(now)} here, {percent(then)} there), "
    )


def _more(now: float, then: float) -> str:
    if then <= now:
        return "no more boxes matched"
    return f"{100 * (then / now - 1):.0f} % more boxes matched" if now else "the first boxes matched"


def _enlarged(images: Sequence[AnnotatedImage], side_px: int) -> str:
    """A remark where most photos have fewer pixels than the input: they are enlarged, which adds no detail."""
    own = float(np.median([max(image.width, image.height) for image in images]))
    return f" (the median photo's longer side is {own:.0f} px: beyond that no detail is added)" if own < side_px else ""
