"""How many boxes each class has, and how large they are beside the model's anchors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import ClassTally, class_tallies, image_counts
from tasks.model.anchors import best_iou, box_sizes
from tasks.model.geometry import ModelGeometry
from tasks.report_page.size_plot import size_svg

_UNEVEN = 10
_FIRST = 30


def balance(
    before: Dataset, passed: Dataset, parts: Mapping[str, Dataset], colours: Mapping[str, str]
) -> dict[str, Any]:
    """A row for each class, the one with most boxes first: images and boxes before and after the gate, and by part."""
    after = {tally.name: tally for tally in class_tallies({"passed": passed})}
    by_split = {tally.name: tally.boxes_by_split for tally in class_tallies(parts)}
    read_boxes, read_images = before.box_counts(), image_counts(before.images)
    most = max([*read_boxes.values(), *(tally.boxes for tally in after.values()), 1])
    rows = [
        {
            "name": name,
            "colour": colours.get(name, ""),
            "before": (read_images.get(name, 0), read_boxes[name]),
            "after": (tally.images, tally.boxes),
            "bars": [(part, boxes, boxes / most) for part in parts for boxes in [by_split.get(name, {}).get(part, 0)]],
            "gone": max(0, read_boxes[name] - tally.boxes) / most,
        }
        for name in dict.fromkeys([*after, *sorted(read_boxes)])
        for tally in [after.get(name, ClassTally(name, 0, 0, {}))]
    ]
    return {"rows": rows[:_FIRST], "folded": rows[_FIRST:], "uneven": _uneven(list(after.values()))}


def _uneven(tallies: Sequence[ClassTally]) -> str:
    """A sentence where the largest class has more than ten times the boxes of the smallest."""
    filled = [tally for tally in tallies if tally.boxes]
    if not filled or filled[0].boxes <= _UNEVEN * filled[-1].boxes:
        return ""
    most, least = filled[0], filled[-1]
    return (
        f"{most.name} has {most.boxes / least.boxes:.0f} times as many boxes as {least.name}: "
        "a rare class is learned late, and its figures rest on few boxes."
    )


def anchor_fit(dataset: Dataset, geometry: ModelGeometry) -> dict[str, Any]:
    """What the model's anchors make of the data set's boxes: a drawing, and counts for each class.

    A box counts as out of reach when no anchor overlaps it enough to match even with its centre on the box's. Crowds
    are left out: training does not match them.
    """
    sizes, names = box_sizes(dataset.images, geometry.resizer)
    reached = best_iou(sizes, geometry.anchors) >= geometry.matched_iou
    sides = np.sqrt(sizes.prod(axis=1))
    rows = [_fit_row(name, names == name, sides, reached) for name in dataset.classes if (names == name).any()]
    anchors = np.sqrt(geometry.anchors.sizes.prod(axis=1))
    return {
        "svg": size_svg(sizes, reached, geometry, "sizes") if len(sizes) else None,
        "boxes": len(sizes),
        "beyond": int((~reached).sum()),
        "rows": sorted(rows, key=lambda row: (-row["share"], -row["boxes"], row["name"])),
        "input": str(geometry.resizer),
        "matched_iou": geometry.matched_iou,
        "force_match": geometry.force_match,
        "anchors": len(anchors),
        "levels": len(geometry.anchors.levels),
        "smallest": float(anchors.min()),
        "largest": float(anchors.max()),
    }


def _fit_row(
    name: str, mine: npt.NDArray[np.bool_], sides: npt.NDArray[np.float64], reached: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    return {
        "name": name,
        "boxes": int(mine.sum()),
        "smallest": float(sides[mine].min()),
        "median": float(np.median(sides[mine])),
        "largest": float(sides[mine].max()),
        "beyond": int((mine & ~reached).sum()),
        "share": float((~reached[mine]).mean()),
    }
