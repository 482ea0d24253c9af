"""Sizes of anchors and of boxes at the model's input: float64 `(N, 2)` arrays, `[width, height]` in pixels.

The position of an anchor does not matter here: a box is compared with each anchor as if both had one centre, which is
the best case on the grid of anchors.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import AnnotatedImage
from tasks.model.resizer import Resizer

Sizes = npt.NDArray[np.float64]
# The scale of the one square anchor that the SSD generator gives its first layer when it reduces that layer's anchors.
_FIRST_LAYER_SCALE = 0.1


@dataclass(frozen=True)
class Anchors:
    """The anchors of a detector.

    Attributes:
        levels: the sizes on each feature map, the finest first; all places of a map have the same.
    """

    levels: tuple[Sizes, ...]

    @property
    def sizes(self) -> Sizes:
        """All of them, level by level."""
        return np.concatenate(self.levels) if self.levels else np.zeros((0, 2))


def pyramid_anchors(
    *, min_level: int, max_level: int, anchor_scale: float, aspect_ratios: Sequence[float], scales_per_octave: int
) -> Anchors:
    """As the OD API's `MultiscaleGridAnchorGenerator`: on level n a base of `anchor_scale` times 2^n pixels."""
    octave = [2 ** (i / scales_per_octave) for i in range(scales_per_octave)]
    levels = range(min_level, max_level + 1)
    return Anchors(
        tuple(
            _shaped([(2**level * anchor_scale * scale, ratio) for scale in octave for ratio in aspect_ratios])
            for level in levels
        )
    )


def grid_anchors(
    *, scales: Sequence[float], aspect_ratios: Sequence[float], base_width: float, base_height: float
) -> Anchors:
    """As the OD API's `GridAnchorGenerator`: one level, whose `scales` are of a base in pixels."""
    shapes = _shaped([(scale, ratio) for scale in scales for ratio in aspect_ratios])
    return Anchors((shapes * np.array([base_width, base_height]),))


def ssd_anchors(
    *,
    scales: Sequence[float],
    aspect_ratios: Sequence[float],
    interpolated_scale_aspect_ratio: float,
    reduce_boxes_in_lowest_layer: bool,
    base_width: float,
    base_height: float,
    input_side_px: int,
) -> Anchors:
    """As the OD API's `create_ssd_anchors`, in pixels; `scales` of the layers are fractions of `input_side_px`.

    `input_side_px` is the shorter side of the input: anchors are as square on an oblong input as on a square one.
    """
    levels = []
    for i, (scale, following) in enumerate(zip(scales, [*scales[1:], 1.0], strict=True)):
        if i == 0 and reduce_boxes_in_lowest_layer:
            shapes = [(_FIRST_LAYER_SCALE, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            shapes = [(scale, ratio) for ratio in aspect_ratios]
            if interpolated_scale_aspect_ratio > 0:
                # Of a negative scale, which the caller refuses.
                between = (scale * following) ** 0.5 if scale * following >= 0 else np.nan
                shapes.append((between, interpolated_scale_aspect_ratio))
        levels.append(_shaped(shapes) * np.array([base_width, base_height]) * input_side_px)
    return Anchors(tuple(levels))


def linear_scales(min_scale: float, max_scale: float, num_layers: int) -> list[float]:
    """One scale for each layer, as `create_ssd_anchors` spaces them; the smallest for a single layer."""
    return [min_scale + (max_scale - min_scale) * i / max(1, num_layers - 1) for i in range(num_layers)]


def sizes_at_input(image: AnnotatedImage, resizer: Resizer) -> Sizes:
    """`(N, 2)`: the size of each of the image's boxes in the resized image; the image's size must be known."""
    return np.asarray((image.boxes[:, 2:] - image.boxes[:, :2]) * resizer.scales(image.width, image.height))


def box_sizes(images: Iterable[AnnotatedImage], resizer: Resizer) -> tuple[Sizes, npt.NDArray[np.str_]]:
    """`(N, 2)` sizes at the model's input and N class names of all boxes but crowds, which training does not match."""
    single = [image.keep(~image.iscrowd) for image in images]
    sizes = [sizes_at_input(image, resizer) for image in single if len(image.boxes)]
    names = np.array([name for image in single for name in image.classes], dtype=object)
    return np.concatenate(sizes) if sizes else np.zeros((0, 2)), names


def best_iou(sizes: Sizes, anchors: Anchors) -> npt.NDArray[np.float64]:
    """`(N,)`: the IoU of each box with the anchor that fits it best, both around one centre; 0 without anchors."""
    shapes = anchors.sizes
    if not len(shapes):
        return np.zeros(len(sizes))
    inner = np.minimum(sizes[:, None], shapes[None]).prod(axis=2)
    union = sizes.prod(axis=1)[:, None] + shapes.prod(axis=1)[None] - inner
    return np.asarray(np.divide(inner, union, out=np.zeros_like(inner), where=union > 0).max(axis=1))


def _shaped(shapes: Sequence[tuple[float, float]]) -> Sizes:
    """`(N, 2)` from pairs of scale, the root of the area, and ratio of width to height."""
    return np.array([(scale * ratio**0.5, scale / ratio**0.5) for scale, ratio in shapes], dtype=np.float64).reshape(
        -1, 2
    )
