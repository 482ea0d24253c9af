"""Large photos in overlapping tiles, so that a small object has enough pixels for the detector.

The idea is SAHI's: Akyon, Altinuc and Temizel, "Slicing Aided Hyper Inference and Fine-tuning for Small Object
Detection" (ICIP 2022), https://github.com/obss/sahi. As there, the whole photo is detected beside its tiles, for
objects larger than a tile; and a box that lies mostly in a larger one is taken for a part of it: the intersection over
the smaller area (IOS) is at least 0.5, the default of SAHI's GREEDYNMM. Unlike there, this holds only for boxes that a
tile's edge may have cut, and no box is stretched over another. Of two whole boxes, one inside the other, both stay.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, area, intersection, iou
from tasks.dataset.detections import Detections, Detector, batches

Image = npt.NDArray[np.uint8]
_Flags = npt.NDArray[np.bool_]

LEAST_SLICE_PX = 64
DEFAULT_OVERLAP, MOST_OVERLAP = 0.2, 0.8
# Two boxes of a class are one object above this intersection over union: the value that params.yaml has for
# export.nms_iou_threshold, so that boxes of two tiles are merged as the exported model merges those of one image.
_SAME_IOU = 0.6
# A cut box with at least this share of its area in a larger one is a part of it: SAHI's postprocess_match_threshold.
_PART_IOS = 0.5
# A box that ends this near to the tile's edge, in sides of the tile, may be cut by it: a detector seldom places the
# side of a cut object on the edge to the pixel.
_NEAR = 0.02


class Tile(NamedTuple):
    """A part of a photo in pixels of the photo; `x` and `y` are its left top corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Slicing:
    """How large photos are cut.

    Attributes:
        side_px: the side of a tile in pixels of the photo.
        overlap: the least share of its side that a tile has in common with its neighbour, 0..0.8.
    """

    side_px: int
    overlap: float

    def tiles(self, width: int, height: int) -> list[Tile]:
        """The tiles of a photo, row by row; none of a photo that is no larger than a tile.

        Every tile has full size, for which the last of a row or column is moved inwards. Where the photo is smaller
        than a tile in one dimension, tiles have the photo's size there.
        """
        if max(width, height) <= self.side_px:
            return []
        tile_width, tile_height = min(self.side_px, width), min(self.side_px, height)
        return [Tile(x, y, tile_width, tile_height) for y in self._starts(height) for x in self._starts(width)]

    def _starts(self, length: int) -> list[int]:
        step = self.side_px - math.ceil(self.side_px * self.overlap)
        return [*range(0, length - self.side_px, step), max(0, length - self.side_px)]


class SlicingDetector:
    """Gives a detector each large photo whole and in tiles, and merges what it finds."""

    def __init__(
        self,
        detector: Detector,
        slicing: Slicing,
        *,
        batch_size: int,
        score_threshold: float,
        report: Callable[[int], object] = lambda count: None,
    ) -> None:
        """Cut by `slicing`, and detect in up to `batch_size` tiles at once.

        `report` gets the number of photos, then of tiles, that were just detected in.
        Detections in a cut photo below `score_threshold` are dropped before the others are merged: a doubtful large box
        must not take the place of certain ones within it.
        """
        self.classes = detector.classes
        self._detector = detector
        self._slicing = slicing
        self._batch_size = batch_size
        self._score_threshold = score_threshold
        self._report = report

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `tasks.dataset.detections.Detector`; a photo that is no larger than a tile is detected as it is."""
        whole = self._detector.detect(images)
        self._report(len(images))
        parts = [[found.above(self._score_threshold)] for found in whole]
        cut = [[np.zeros(len(found[0].classes), dtype=np.bool_)] for found in parts]
        places = [(place, tile) for place, image in enumerate(images) for tile in self._slicing.tiles(*_size(image))]
        for batch in batches(places, self._batch_size, lambda each: each[1].width * each[1].height):
            crops = [images[place][y : y + height, x : x + width] for place, (x, y, width, height) in batch]
            for (place, tile), found in zip(batch, self._detector.detect(crops), strict=True):
                certain = found.above(self._score_threshold)
                cut[place].append(_cut_by(tile, certain.boxes, *_size(images[place])))
                parts[place].append(_moved(certain, tile))
            self._report(len(batch))
        return [
            merge(found, np.concatenate(flags)) if len(found) > 1 else unsliced
            for unsliced, found, flags in zip(whole, parts, cut, strict=True)
        ]


def merge(parts: Sequence[Detections], cut: _Flags) -> Detections:
    """The detections of all `parts` of a photo, in its pixels, each object once; highest score first.

    Classes are merged one by one: two classes at one place both stay.

    Args:
        parts: those of the whole photo and of each tile.
        cut: for each of their boxes, in the same order, whether the edge of a tile may have cut it.
    """
    boxes = np.concatenate([part.boxes for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    names = [name for part in parts for name in part.classes]
    kept: list[int] = []
    for each in dict.fromkeys(names):
        of_class = np.array([place for place, name in enumerate(names) if name == each])
        left = of_class[_without_pieces(boxes[of_class], cut[of_class])]
        kept += left[_without_copies(boxes[left], scores[left])].tolist()
    order = sorted(kept, key=lambda place: (-scores[place], place))
    return Detections(boxes[order], tuple(names[place] for place in order), scores[order])


def _without_pieces(boxes: Boxes, cut: _Flags) -> list[int]:
    """Places in `boxes` of all but the cut ones that lie mostly in a larger one that is kept."""
    areas = area(boxes)
    kept: list[int] = []
    for place in np.argsort(-areas, kind="stable").tolist():
        if cut[place] and (intersection(boxes[[place]], boxes[kept]) >= _PART_IOS * areas[place]).any():
            continue
        kept.append(place)
    return sorted(kept)


def _without_copies(boxes: Boxes, scores: npt.NDArray[np.float64]) -> list[int]:
    """Places in `boxes` that non-maximum suppression keeps, the highest score first."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, order = int(order[0]), order[1:]
        kept.append(best)
        order = order[iou(boxes[[best]], boxes[order])[0] <= _SAME_IOU]
    return kept


def _cut_by(tile: Tile, boxes: Boxes, width: int, height: int) -> _Flags:
    """Which of `boxes`, in pixels of the tile, end at an edge of it that is not the photo's."""
    near_x, near_y = _NEAR * tile.width, _NEAR * tile.height
    return np.asarray(
        ((boxes[:, 0] <= near_x) & (tile.x > 0))
        | ((boxes[:, 1] <= near_y) & (tile.y > 0))
        | ((boxes[:, 2] >= tile.width - near_x) & (tile.x + tile.width < width))
        | ((boxes[:, 3] >= tile.height - near_y) & (tile.y + tile.height < height))
    )


def _moved(found: Detections, tile: Tile) -> Detections:
    """From pixels of the tile to those of the photo."""
    corner = np.array([tile.x, tile.y, tile.x, tile.y], dtype=np.float64)
    return Detections(found.boxes + corner, found.classes, found.scores)


def _size(image: Image) -> tuple[int, int]:
    height, width, _ = image.shape
    return width, height
