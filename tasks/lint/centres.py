"""Objects whose centres a model without anchors cannot tell apart: of one class, in one cell of its output."""

from collections.abc import Sequence

import numpy as np

from tasks.artifacts.lint import Finding
from tasks.dataset.dataset import AnnotatedImage
from tasks.lint.alternatives import Alternatives, remedy
from tasks.lint.boxes import FEWEST
from tasks.lint.finding import percent
from tasks.model.geometry import ModelGeometry

# Each of these objects is lost for sure, whatever is trained: fewer of them matter than of boxes beyond anchors.
_SHARE = 0.01


def check_centres(
    images: Sequence[AnnotatedImage], model: str, geometry: ModelGeometry, alternatives: Alternatives
) -> list[Finding]:
    """More than a hundredth of all boxes share the cell of their centre with another box of their class."""
    if geometry.has_anchors:
        return []
    shared, boxes = _boxes_without_own_cell(images, geometry)
    if shared < FEWEST or shared <= _SHARE * boxes:
        return []
    stride = geometry.finest_stride_px
    return [
        Finding(
            "warning",
            "model.name",
            model,
            f"{percent(shared / boxes)} of the training boxes ({shared} of {boxes}) have their centre in the same "
            f"cell as another box of their class: it finds one object of a class in each {stride} x {stride} px of "
            f"its input of {geometry.resizer}, and learns from one of them",
            remedy(lambda other: _share(images, other), geometry, alternatives),
        )
    ]


def _share(images: Sequence[AnnotatedImage], geometry: ModelGeometry) -> float:
    shared, boxes = _boxes_without_own_cell(images, geometry)
    return shared / boxes


def _boxes_without_own_cell(images: Sequence[AnnotatedImage], geometry: ModelGeometry) -> tuple[int, int]:
    """How many boxes have no cell of their own, and how many boxes there are; crowds are left out."""
    shared = boxes = 0
    for image in images:
        single = image.keep(~image.iscrowd)
        centres = (single.boxes[:, :2] + single.boxes[:, 2:]) / 2 * geometry.resizer.scales(image.width, image.height)
        cells = np.floor(centres / geometry.finest_stride_px).astype(int)
        taken = {(name, *cell) for name, cell in zip(single.classes, cells.tolist(), strict=True)}
        boxes += len(single.boxes)
        shared += len(single.boxes) - len(taken)
    return shared, boxes
