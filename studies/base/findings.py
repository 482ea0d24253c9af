"""Stage `findings`: what Objectron's detector finds in the photographs, so that scenes have a box for it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from studies.base.classes import Classes
from studies.base.library import FINDINGS, PACKAGES, Finding, Findings, Library
from studies.objectron import OBJECTRON, split_assets
from studies.packages import unpack
from tasks.artifacts.artifact import write_artifact
from tasks.errors import CheckpointError
from tasks.model.anchors import linear_scales, ssd_anchors

Array = npt.NDArray[np.float64]

_SIDE_PX = 300
_MAPS = (19, 10, 5, 3, 2, 1)
# The OD API's FasterRcnnBoxCoder: y, x, height, width.
_CODER = np.array([10.0, 10.0, 5.0, 5.0])
_MIN_SCORE, _MAX_IOU = 0.5, 0.45
# Tiles as shares of the photograph's shorter side, each half over its neighbours.
_TILES = (1.0, 0.55, 0.3)
# A box that ends at a tile's edge is a piece of a thing.
_EDGE_PX = 3


def find(classes: Classes, folder: Path) -> dict[str, object]:
    """Write `folder`/findings.json for the photographs of `folder`/index.json; figures to print.

    Raises:
        PipelineError: the detector's package is missing, damaged or another version.
    """
    with tempfile.TemporaryDirectory() as temporary:
        (assets,) = unpack([OBJECTRON], folder / PACKAGES, Path(temporary))
        names, model = split_assets(assets)
    detector = _Detector(model)
    labels = [classes.of(name) for name in names]
    library, found = Library(folder), {}
    for photo in tqdm(library.photos, desc="findings", unit="photo"):
        boxes, scores, numbers = detector.find(library.background(photo))
        found[photo.file] = [
            Finding(label=str(labels[number]), box=tuple(box), score=score)
            for box, score, number in zip(boxes.round(1).tolist(), scores.round(3).tolist(), numbers, strict=True)
            if labels[number] is not None
        ]
    write_artifact(folder / FINDINGS, Findings(findings={file: things for file, things in found.items() if things}))
    return {"photos": len(found), "findings": sum(map(len, found.values()))}


class _Detector:
    """The TFLite file, and its anchors as `[y, x, height, width]` in 0..1."""

    def __init__(self, model: bytes) -> None:
        import tensorflow as tf  # noqa: PLC0415 - seconds, and only this stage needs it

        try:
            self._interpreter = tf.lite.Interpreter(model_content=model)
        except ValueError as error:
            raise CheckpointError(f"the package's detector is not a TFLite file: {error}") from error
        self._interpreter.allocate_tensors()
        self._anchors = _anchors()

    def find(self, photo: Image.Image) -> tuple[Array, Array, list[int]]:
        """Boxes `(N, 4)` in its pixels, scores and numbers of classes from 0, over all tiles, without duplicates."""
        parts = [self._find_in(photo, tile) for tile in _tiles(*photo.size)]
        boxes, scores, numbers = (np.concatenate([part[i] for part in parts]) for i in range(3))
        kept = _without_duplicates(boxes, scores, numbers)
        return boxes[kept], scores[kept], numbers[kept].astype(int).tolist()

    def _find_in(self, photo: Image.Image, tile: tuple[int, int, int, int]) -> tuple[Array, Array, Array]:
        pixels = np.asarray(photo.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR, tile, 2.0), dtype=np.float32)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._interpreter.set_tensor(inputs[0]["index"], pixels[None] / np.float32(127.5) - 1)
        self._interpreter.invoke()
        raw = {output["shape"][-1]: self._interpreter.get_tensor(output["index"]) for output in outputs}
        encoded, logits = raw.pop(4).reshape(-1, 4), next(iter(raw.values())).reshape(len(self._anchors), -1)
        scores = 1 / (1 + np.exp(-logits[:, 1:].astype(np.float64)))
        best = scores.argmax(axis=1)
        score = scores.max(axis=1)
        boxes = _to_photo(_decoded(encoded.astype(np.float64), self._anchors), tile)
        good = (score >= _MIN_SCORE) & _whole(boxes, tile, photo.size)
        return boxes[good], score[good], best[good].astype(np.float64)


def _to_photo(boxes: Array, tile: tuple[int, int, int, int]) -> Array:
    left, top, right, bottom = tile
    scaled = np.clip(boxes, 0, 1) * np.array([right - left, bottom - top] * 2)
    return np.asarray(scaled + np.array([left, top] * 2))


def _whole(boxes: Array, tile: tuple[int, int, int, int], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which boxes end within the tile, or where the photograph does too."""
    inner = np.array(tile, dtype=np.float64)
    outer = np.array([0, 0, *size], dtype=np.float64)
    near = np.abs(boxes - inner) < _EDGE_PX
    return np.asarray(~(near & (inner != outer)).any(axis=1))


def _tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    for share in _TILES:
        side = round(share * min(width, height))
        for top in _starts(height, side):
            for left in _starts(width, side):
                yield left, top, left + side, top + side


def _starts(length: int, side: int) -> list[int]:
    steps = max(int(np.ceil((length - side) / (side / 2))), 0)
    return [round(i * (length - side) / max(steps, 1)) for i in range(steps + 1)]


def _anchors() -> Array:
    """As the OD API's SSD anchor generator for 300 px lays them out: map by map, row by row."""
    shapes = ssd_anchors(
        scales=linear_scales(0.2, 0.95, len(_MAPS)),
        aspect_ratios=(1.0, 2.0, 0.5, 3.0, 0.3333),
        interpolated_scale_aspect_ratio=1.0,
        reduce_boxes_in_lowest_layer=True,
        base_width=1.0,
        base_height=1.0,
        input_side_px=1,
    )
    rows = []
    for side, sizes in zip(_MAPS, shapes.levels, strict=True):
        for place in range(side * side):
            y, x = (place // side + 0.5) / side, (place % side + 0.5) / side
            rows += [[y, x, height, width] for width, height in sizes]
    return np.array(rows)


def _decoded(encoded: Array, anchors: Array) -> Array:
    """`(N, 4)` `[xmin, ymin, xmax, ymax]` in 0..1 of the tile."""
    step = encoded / _CODER
    y, x = (step[:, i] * anchors[:, i + 2] + anchors[:, i] for i in range(2))
    height, width = (np.exp(step[:, i]) * anchors[:, i] for i in (2, 3))
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)


def _without_duplicates(boxes: Array, scores: Array, numbers: Array) -> list[int]:
    """Of boxes of one class that overlap by more than `_MAX_IOU`, the one with the highest score."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        same = [k for k in kept if numbers[k] == numbers[i] and _overlap(boxes[k], boxes[i]) > _MAX_IOU]
        if not same:
            kept.append(int(i))
    return kept


def _overlap(first: Array, second: Array) -> float:
    """Intersection over union; over the smaller where one lies in the other, as tiles find a thing and its half."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    inside = float(np.prod(np.maximum(sides, 0)))
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, second)]
    return max(inside / max(sum(areas) - inside, 1e-9), inside / max(min(areas), 1e-9) - 0.4)
