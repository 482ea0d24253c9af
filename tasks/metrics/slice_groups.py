"""The slices of the test images, by fixed rules that need no tuning.

Whole images: by a number that each has (thirds of the test images) or by a word (its camera, its folder). Boxes: by how
large they are in their image, and by whether they touch its edge. A detection belongs to the slice of the box that it
found or overlaps most; one on background, to the slice of its own box.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, area, iou
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.ground.text import shortened
from tasks.metrics.errors import BACKGROUND_BELOW
from tasks.metrics.intervals import LEAST_IMAGES
from tasks.metrics.matching import IOU_50, Matches

_Bools = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float64]
_Measure = Callable[[Boxes, int, int], _Floats]

# Sides in parts of the root of the image's area: COCO's 32 and 96 pixels in an image of COCO's usual 640 x 480.
_SMALL_BELOW, _LARGE_FROM = (side / (640 * 480) ** 0.5 for side in (32, 96))
_SMALL, _LARGE = (f"{100 * side:.0f} %" for side in (_SMALL_BELOW, _LARGE_FROM))
# As near to the edge as this part of the image's shorter side, a box touches it: annotators miss it by some pixels.
_EDGE = 0.01
# Title, rule, and the range of what is measured; its end is not in it.
_SIZES = (
    ("small boxes", f"a side below {_SMALL} of the image's", -np.inf, _SMALL_BELOW),
    ("medium boxes", f"a side from {_SMALL} to {_LARGE} of the image's", _SMALL_BELOW, _LARGE_FROM),
    ("large boxes", f"a side from {_LARGE} of the image's on", _LARGE_FROM, np.inf),
)
_EDGES = (
    ("boxes at the image's edge", f"nearer to it than {100 * _EDGE:.0f} % of the shorter side", -np.inf, _EDGE),
    ("boxes away from the image's edge", "", _EDGE, np.inf),
)
# More words than these are rather names of single images; each test costs the others power.
MOST_WORDS = 20
_LONGEST = 60


@dataclass(frozen=True)
class Slice:
    """Some of the test images, or some of the boxes in them.

    Attributes:
        divided_by: what divides them: `brightness`, `size`, the name of a column.
        title: the slice in words that follow "worse on".
        rule: who belongs to it; empty where the title says all.
        images: `(images,)` which are in it; None where it is of boxes.
        boxes: `(G,)` which are in it.
        detections: `(D,)` which are in it.
    """

    divided_by: str
    title: str
    rule: str
    images: _Bools | None
    boxes: _Bools
    detections: _Bools


def slice_of_images(matches: Matches, divided_by: str, title: str, rule: str, images: _Bools) -> Slice:
    """The images where `images`, `(images,)`, is true, with all boxes and detections in them."""
    return Slice(divided_by, title, rule, images, images[matches.box_image], images[matches.image])


def thirds(matches: Matches, divided_by: str, values: _Floats, titles: Sequence[str], unit: str) -> list[Slice]:
    """Slices with the lowest, the middle and the highest third of `values`, `(images,)`; equal ones stay together.

    Their rule is the range of values in them, with `unit` after it.
    """
    if not len(values):
        return []
    ordered = np.sort(values)
    cuts = [ordered[max(0, round(len(values) * part) - 1)] for part in (1 / 3, 2 / 3)]
    place = np.searchsorted(cuts, values, side="left")
    slices = []
    for i, title in enumerate(titles):
        own = values[place == i]
        if len(own):
            low, high = f"{own.min():.3g}", f"{own.max():.3g}"
            rule = f"{low if low == high else f'{low} to {high}'} {unit}"
            slices.append(slice_of_images(matches, divided_by, title, rule, place == i))
    return slices


def words(matches: Matches, divided_by: str, values: Sequence[str]) -> tuple[list[Slice], str]:
    """A slice for each word that enough images have, the most frequent first, and a sentence on what is left out.

    Args:
        matches: of the test images.
        divided_by: the column's name, `folder`, or what else the words are of.
        values: the word of each image; empty where it has none.
    """
    name = shortened(divided_by, _LONGEST)
    counts = Counter(value for value in values if value)
    enough = [value for value, count in counts.most_common() if count >= LEAST_IMAGES]
    kept = enough[:MOST_WORDS]
    each = np.array(values, dtype=object)
    slices = [
        slice_of_images(
            matches, divided_by, f"{name} {shortened(value, _LONGEST)}", "", np.asarray(each == value, bool)
        )
        for value in sorted(kept)
    ]
    left_out = [value for value in counts if value not in kept]
    if not left_out:
        return slices, ""
    why = f"with fewer than {LEAST_IMAGES} test images, or beyond the {MOST_WORDS} with the most"
    named = ", ".join(shortened(value, _LONGEST) for value in sorted(left_out)[:5])
    named += " and others" if len(left_out) > 5 else ""
    return slices, f"{name}: {len(left_out)} of {len(counts)} values {why} ({named})"


def crowding(groundtruth: Dataset, matches: Matches) -> list[Slice]:
    """Images with few, more and many boxes; crowds are not counted."""
    counts = np.array([float((~image.iscrowd.astype(bool)).sum()) for image in groundtruth.images])
    slices = thirds(matches, "crowding", counts, [""] * 3, "boxes")
    return [
        replace(each, title=f"images with {'1 box' if each.rule == '1 boxes' else each.rule}", rule="")
        for each in slices
    ]


def slices_of_boxes(groundtruth: Dataset, detections: Sequence[Detections], matches: Matches) -> list[Slice]:
    """Small, medium and large boxes; those that touch the image's edge, and those that do not."""
    meant = _meant_boxes(groundtruth, detections, matches)
    pairs = list(zip(groundtruth.images, detections, strict=True))
    start = np.cumsum([0, *(len(each.classes) for each in detections)])

    def measured(measure: _Measure) -> tuple[_Floats, _Floats]:
        boxes = [measure(image.boxes, image.width, image.height) for image, _ in pairs]
        own = [measure(found.boxes, image.width, image.height) for image, found in pairs]
        per_box = np.concatenate([*boxes, np.zeros(0)])
        per_detection = np.concatenate([*own, np.zeros(0)])[start[matches.image] + matches.source]
        per_detection[meant >= 0] = per_box[meant[meant >= 0]]
        return per_box, per_detection

    return [
        Slice(divided_by, title, rule, None, *((low <= each) & (each < high) for each in measured(measure)))
        for divided_by, measure, ranges in (("size", _sides, _SIZES), ("edge", _gaps, _EDGES))
        for title, rule, low, high in ranges
    ]


def _meant_boxes(groundtruth: Dataset, detections: Sequence[Detections], matches: Matches) -> npt.NDArray[np.int64]:
    """The box that each detection found, else the one that it overlaps most, `(D,)`; -1 for none."""
    first = np.searchsorted(matches.box_image, np.arange(matches.images))
    meant = np.full(len(matches.score), -1, dtype=np.int64)
    order = np.argsort(matches.image, kind="stable")
    edges = np.searchsorted(matches.image[order], np.arange(matches.images + 1))
    for i, image in enumerate(groundtruth.images):
        own = order[edges[i] : edges[i + 1]]
        if len(own) and len(image.boxes):
            overlaps = iou(detections[i].boxes[matches.source[own]], image.boxes)
            meant[own] = np.where(overlaps.max(axis=1) >= BACKGROUND_BELOW, first[i] + overlaps.argmax(axis=1), -1)
    found = matches.box[IOU_50]
    return np.where(found >= 0, found, meant)


def _sides(boxes: Boxes, width: int, height: int) -> _Floats:
    """The root of each box's share of its image."""
    return np.asarray(np.sqrt(area(boxes) / max(1, width * height)))


def _gaps(boxes: Boxes, width: int, height: int) -> _Floats:
    """How far each box is from the image's edge, in parts of the shorter side."""
    beyond = np.column_stack([boxes[:, :2], width - boxes[:, 2], height - boxes[:, 3]])
    return np.asarray(beyond.min(axis=1, initial=np.inf) / max(1, min(width, height)))
