"""The sizes of training boxes at the model's input against its anchors and its finest feature map."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.artifacts.lint import Finding
from tasks.dataset.dataset import AnnotatedImage
from tasks.ground.text import shortened
from tasks.lint.alternatives import Alternatives, remedy
from tasks.lint.finding import percent
from tasks.model.anchors import best_iou, box_sizes
from tasks.model.geometry import ModelGeometry

# Fewer boxes give no warning: every data set has some odd ones.
SHARE = 0.1
FEWEST = 3
_MOST_LISTED = 5


def check_anchors(
    images: Sequence[AnnotatedImage], model: str, geometry: ModelGeometry, alternatives: Alternatives
) -> list[Finding]:
    """Classes with over a tenth of their boxes beyond every anchor: none overlaps enough, even around one centre."""
    names, beyond = _beyond_anchors(images, geometry)
    rows = []
    for name in dict.fromkeys(names):
        mine = names == name
        count, of = int(beyond[mine].sum()), int(mine.sum())
        if count >= FEWEST and count > SHARE * of:
            rows.append((count / of, count, of, str(name)))
    if not rows:
        return []
    rows.sort(key=lambda row: (-row[0], -row[1], row[3]))
    shares = ", ".join(
        f"{percent(share)} of {shortened(name)} ({count} of {of})" for share, count, of, name in rows[:_MOST_LISTED]
    )
    more = f" and boxes of {len(rows) - _MOST_LISTED} more classes" if len(rows) > _MOST_LISTED else ""
    affected = np.isin(names, [row[3] for row in rows])
    outcome = (
        "training matches each of these boxes with its single best anchor, so the model learns less from it than from "
        "others"
        if geometry.force_match
        else "training learns nothing from these boxes"
    )
    return [
        Finding(
            "warning",
            "model.name",
            model,
            f"{shares}{more} overlap none of its anchors by an IoU of {geometry.matched_iou:g}, even around one "
            f"centre: {outcome}",
            remedy(lambda other: float(_beyond_anchors(images, other)[1][affected].mean()), geometry, alternatives),
        )
    ]


def check_small(
    images: Sequence[AnnotatedImage], model: str, geometry: ModelGeometry, alternatives: Alternatives
) -> list[Finding]:
    """More than a tenth of all boxes smaller than one cell of the finest feature map."""
    small = _small_boxes(images, geometry)
    count = int(small.sum())
    if count < FEWEST or count <= SHARE * len(small):
        return []
    stride = geometry.finest_stride_px
    return [
        Finding(
            "warning",
            "model.name",
            model,
            f"{percent(count / len(small))} of the training boxes ({count} of {len(small)}) measure less than {stride} "
            f"px (the root of their area) at its input of {geometry.resizer}: less than one cell of its finest "
            "feature map, so that it can hardly separate neighbours",
            remedy(lambda other: float(_small_boxes(images, other).mean()), geometry, alternatives),
        )
    ]


def _beyond_anchors(
    images: Sequence[AnnotatedImage], geometry: ModelGeometry
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.bool_]]:
    """The class of each box, and whether no anchor overlaps it enough; crowds are left out."""
    sizes, names = box_sizes(images, geometry.resizer)
    return names, best_iou(sizes, geometry.anchors) < geometry.matched_iou


def _small_boxes(images: Sequence[AnnotatedImage], geometry: ModelGeometry) -> npt.NDArray[np.bool_]:
    sizes, _ = box_sizes(images, geometry.resizer)
    return np.asarray(np.sqrt(sizes.prod(axis=1)) < geometry.finest_stride_px)
