"""pycocotools' own figures, which ours must equal, and cases to compare them on."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import detection_rows, to_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections

CLASSES = ("cat", "dog", "owl")


def reference_evaluation(truth: Dataset, detections: Sequence[Detections], *, shuffled: int | None = None) -> Any:
    """COCOeval, accumulated and summarised; with `shuffled`, its annotations stand in another order under other ids."""
    content: dict[str, Any] = {**to_coco(truth)}
    found = [
        {**row, "id": number, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0}
        for number, row in enumerate(detection_rows(detections, truth), start=1)
    ]
    if shuffled is not None:
        content = _renumbered(content, np.random.default_rng(shuffled))
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_indexed(content), _indexed({**content, "annotations": found}), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def _renumbered(content: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
    """Images in another order, annotations under ids with gaps, images of a later id first in the file."""
    ids = random.permutation(np.arange(1, 10 * len(content["annotations"]) + 1))
    annotations = [{**row, "id": int(number)} for row, number in zip(content["annotations"], ids, strict=False)]
    images = [content["images"][i] for i in random.permutation(len(content["images"]))]
    return {**content, "images": images, "annotations": annotations}


def _indexed(content: dict[str, Any]) -> COCO:
    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    return coco


def generated_case(seed: int) -> tuple[Dataset, list[Detections]]:
    """A few images with what makes evaluations differ.

    Empty images, crowds, ties of scores and of IoUs, copies of boxes, boxes on the borders between sizes, boxes without
    an area, more than 100 detections of a class in an image.
    """
    random = np.random.default_rng(seed)
    classes = CLASSES[: int(random.integers(1, 4))]
    images, detections = [], []
    for number in range(int(random.integers(1, 7))):
        boxes = _boxes(random, int(random.integers(0, 7)))
        names = [str(name) for name in random.choice(classes, len(boxes))]
        crowds = random.random(len(boxes)) < random.choice([0.0, 0.3])
        images.append(
            AnnotatedImage(
                file_name=f"{number}.jpg",
                width=300,
                height=300,
                boxes=boxes,
                classes=tuple(names),
                difficult=flags(len(boxes)),
                iscrowd=flags(len(boxes), (bool(crowd) for crowd in crowds)),
            )
        )
        detections.append(_random_detections(random, boxes, names, classes))
    return Dataset(Path("images"), classes, tuple(images)), detections


def _boxes(random: np.random.Generator, count: int) -> Any:
    corners = random.integers(0, 150, (count, 2)).astype(float)
    # 32 and 96 are where one size ends and the next begins.
    sides = random.choice([0.0, 8.0, 16.0, 32.0, 32.5, 64.0, 96.0, 97.0], (count, 2), p=[0.02, *[0.14] * 7])
    boxes = np.concatenate([corners, corners + sides], axis=1)
    copied = random.random(count) < 0.15
    boxes[copied] = boxes[: copied.sum()]
    return as_boxes(boxes)


def _random_detections(
    random: np.random.Generator, boxes: Any, names: Sequence[str], classes: Sequence[str]
) -> Detections:
    rows: list[tuple[Any, str]] = []
    for box, name in zip(boxes, names, strict=True):
        for _ in range(int(random.integers(0, 4))):
            moved = box + random.choice([0.0, 1.0, 4.0, 16.0]) * random.integers(-2, 3, 4)
            moved[2:] = np.maximum(moved[2:], moved[:2])
            rows.append((moved, name if random.random() < 0.9 else str(random.choice(classes))))
    extra = 130 if random.random() < 0.05 else int(random.integers(0, 4))
    rows += [(box, str(random.choice(classes))) for box in _boxes(random, extra)]
    # One decimal, so that many scores are equal.
    scores = random.random(len(rows)).round(1 if random.random() < 0.7 else 6)
    order = np.argsort(-scores, kind="stable")
    return Detections(as_boxes([rows[i][0] for i in order]), tuple(rows[i][1] for i in order), scores[order])
