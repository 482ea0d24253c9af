"""The crops of a Faster R-CNN's proposals as ONNX nodes.

A crop is one `RoiAlign`. With one sample in a bin it interpolates at the middle of each bin; the bins are laid out so
that these are the places where the OD API interpolates (`tf.image.crop_and_resize`): from one edge of the box to the
other. With a feature pyramid, each level has a `RoiAlign` of its own, for the boxes that the OD API cuts out of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.exporting.onnx_nodes import Nodes

# The side of the images that a ResNet is pretrained on: a box of this size is cut out of the level before the last
# (Lin et al. 2017, arXiv:1612.03144, section 4.2).
_PRETRAINED_SIDE_PX = 224.0


@dataclass(frozen=True)
class FeatureMap:
    """One level: its name in the graph, where it is `(B, channels, height, width)`."""

    name: str
    height: int
    width: int
    channels: int


def add_crops(
    nodes: Nodes, maps: Sequence[FeatureMap], *, boxes: str, canvas: tuple[int, int], size: int, output: str
) -> None:
    """Add the nodes that cut `output` `(B * N, channels, size, size)` out of the maps.

    Args:
        nodes: those that are added to.
        maps: of all levels, the finest first.
        boxes: names `(B, N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1 of the canvas.
        canvas: height and width of the detector's input, in pixels.
        size: height and width of a crop.
        output: the name of the crops.
    """
    rows = nodes.add("Reshape", [boxes, nodes.constant("row", [-1, 4], np.int64)], "rows")
    numbers = _image_numbers(nodes, boxes)
    if len(maps) == 1:
        _add_roi_align(nodes, maps[0], rows, numbers, size, output)
        return
    places = _places(nodes, rows, canvas, len(maps))
    crops = []
    for level, (each, place) in enumerate(zip(maps, places, strict=True)):
        own_rows, own_numbers = (
            nodes.add("Gather", [values, place], f"{name}_of_level_{level}")
            for values, name in ((rows, "rows"), (numbers, "numbers"))
        )
        crops.append(f"{nodes.prefix}crops_of_level_{level}")
        _add_roi_align(nodes, each, own_rows, own_numbers, size, crops[-1], name=f"_{level}")
    by_level = nodes.add("Concat", crops, "by_level", axis=0)
    order = nodes.add("Concat", places, "order", axis=0)
    # Where the crop of each row is among those by level: the inverse of the order.
    where = nodes.add("ScatterElements", [order, order, _counted(nodes, order)], "where", axis=0)
    nodes.append("Gather", [by_level, where], [output], axis=0)


def to_rois(height: int, width: int, size: int) -> npt.NDArray[np.float64]:
    """`(4, 4)`: from boxes `[ymin, xmin, ymax, xmax]` in 0..1 to `[x1, y1, x2, y2]` whose bins have the right middles.

    The OD API's first and last samples lie on the edges, which are 0 and 1 at the middles of the outermost cells.
    """
    matrix = np.zeros((4, 4))
    for place, cells in ((0, height - 1), (1, width - 1)):
        near, far = np.eye(4)[place] * cells, np.eye(4)[place + 2] * cells
        bin_side = (far - near) / (size - 1)
        matrix[:, 1 - place] = near - bin_side / 2
        matrix[:, 3 - place] = near - bin_side / 2 + size * bin_side
    return matrix


def _add_roi_align(
    nodes: Nodes, features: FeatureMap, rows: str, numbers: str, size: int, output: str, *, name: str = ""
) -> None:
    matrix = to_rois(features.height, features.width, size)
    scaled = nodes.add("MatMul", [rows, nodes.constant(f"to_rois{name}", matrix, np.float32)], f"scaled{name}")
    rois = nodes.add("Add", [scaled, nodes.constant(f"half_pixel{name}", 0.5, np.float32)], f"rois{name}")
    nodes.append(
        "RoiAlign",
        [features.name, rois, numbers],
        [output],
        coordinate_transformation_mode="half_pixel",
        mode="avg",
        output_height=size,
        output_width=size,
        sampling_ratio=1,
        spatial_scale=1.0,
    )


def _image_numbers(nodes: Nodes, boxes: str) -> str:
    """Names int64 `(B * N,)`, the number of each row's image in the batch."""
    shape = nodes.add("Shape", [boxes], "shape")
    images, each = (
        nodes.add("Gather", [shape, nodes.constant(f"axis_{axis}", axis, np.int64)], f"length_{axis}")
        for axis in (0, 1)
    )
    total = nodes.add("Mul", [images, each], "total")
    zero, one = nodes.constant("first", 0, np.int64), nodes.constant("step", 1, np.int64)
    return nodes.add("Div", [nodes.add("Range", [zero, total, one], "row_numbers"), each], "image_numbers")


def _places(nodes: Nodes, rows: str, canvas: tuple[int, int], levels: int) -> list[str]:
    """For each level the name of the rows, int64, that are cut out of it, as `ops.fpn_feature_levels` has it."""
    sides = nodes.add("MatMul", [rows, nodes.constant("to_sides", _TO_SIDES, np.float32)], "sides")
    areas = nodes.add("ReduceProd", [sides], "areas", axes=[1], keepdims=0)
    ratio = np.sqrt(np.float32(canvas[0] * canvas[1])) / np.float32(_PRETRAINED_SIDE_PX)
    scaled = nodes.add("Mul", [nodes.add("Sqrt", [areas], "roots"), nodes.constant("ratio", ratio, np.float32)], "size")
    octaves = nodes.add(
        "Div", [nodes.add("Log", [scaled], "logarithm"), nodes.constant("log_2", np.log(2.0), np.float32)], "octaves"
    )
    # The OD API's `unit_scale_index`; a box of no area has minus infinity here, which is below every level.
    unit = nodes.constant("unit_scale_index", levels - 2, np.float32)
    found = nodes.add("Add", [nodes.add("Floor", [octaves], "whole_octaves"), unit], "levels")
    reached = [
        nodes.add(
            "GreaterOrEqual", [found, nodes.constant(f"level_{level}", level, np.float32)], f"is_level_{level}_reached"
        )
        for level in range(1, levels)
    ]
    above = [nodes.add("Not", [is_reached], f"is_below_level_{level}") for level, is_reached in enumerate(reached, 1)]
    masks = [above[0]]
    masks += [nodes.add("And", [reached[i - 1], above[i]], f"is_level_{i}") for i in range(1, levels - 1)]
    masks.append(reached[-1])
    flat = nodes.constant("flat", [-1], np.int64)
    return [
        nodes.add("Reshape", [nodes.add("NonZero", [mask], f"found_{level}"), flat], f"places_{level}")
        for level, mask in enumerate(masks)
    ]


# From `[ymin, xmin, ymax, xmax]` to height and width.
_TO_SIDES = [[-1, 0], [0, -1], [1, 0], [0, 1]]


def _counted(nodes: Nodes, of: str) -> str:
    """Names int64 0, 1, 2, ..., as many as the vector `of` has values."""
    flat = nodes.constant("scalar", [], np.int64)
    length = nodes.add("Reshape", [nodes.add("Shape", [of], "count"), flat], "count_as_scalar")
    zero, one = nodes.constant("count_from", 0, np.int64), nodes.constant("count_by", 1, np.int64)
    return nodes.add("Range", [zero, length, one], "counted")
