"""COCO figures: this pipeline's beside pycocotools', for as many detections as a detector makes on COCO's val2017."""

import contextlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from bench.processes import in_turns, spread
from tasks.artifacts.evaluation import FIGURES
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_entries import CocoContent, CocoResult
from tasks.dataset.coco_json import detection_rows, to_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections
from tasks.metrics.coco import coco_figures

# COCO's val2017: 36,781 boxes of 80 classes in 5,000 images (cocodataset.org).
IMAGES, CLASSES, BOXES_AN_IMAGE, DETECTIONS_AN_IMAGE = 5000, 80, 7.4, 100
_SIDE, _RECALL, _CROWDS = 500.0, 0.8, 0.01
_TOLERANCE = 1e-6


def compare_evaluation(repeats: int, images: int = IMAGES) -> list[str]:
    """Lines for people: seconds of both sides from detections in memory to the twelve figures, and their ratio.

    Raises:
        RuntimeError: the figures differ by more than 1e-6.
    """
    truth, detections = generate_detections(images)
    content = to_coco(truth)
    rows = detection_rows(detections, truth)
    figures: dict[str, list[float | None]] = {}
    sides = {
        "pycocotools": lambda: _seconds(lambda: figures.update(theirs=_reference(content, rows))),
        "coco_figures": lambda: _seconds(lambda: figures.update(ours=_figures(truth, detections))),
    }
    seconds = in_turns(sides, repeats, "evaluation", warm_up=False)
    pairs = list(zip(FIGURES, figures["ours"], figures["theirs"], strict=True))
    wrong = [name for name, a, b in pairs if (a is None) != (b is None) or abs((a or 0.0) - (b or 0.0)) > _TOLERANCE]
    if wrong:
        raise RuntimeError(f"the figures differ: {', '.join(wrong)}")
    theirs, ours = seconds["pycocotools"], seconds["coco_figures"]
    boxes = sum(len(image.classes) for image in truth.images)
    return [
        f"evaluation: {images} images, {boxes} boxes and {len(rows)} detections of {CLASSES} classes, generated; the "
        f"figures of both are the same to {_TOLERANCE:g}",
        f"  {'pycocotools':<44} {spread(theirs)} s",
        f"  {'coco_figures':<44} {spread(ours)} s",
        f"  coco_figures: {spread([a / b for a, b in zip(theirs, ours, strict=True)])} times as fast",
    ]


def generate_detections(images: int) -> tuple[Dataset, list[Detections]]:
    """Boxes, and detections like a detector's: most boxes found, more or less well; many false ones with low scores."""
    random = np.random.default_rng(0)
    names = tuple(f"class {k}" for k in range(CLASSES))
    pairs = [_image(random, names) for _ in range(images)]
    return Dataset(root=Path(), classes=names, images=tuple(image for image, _ in pairs)), [found for _, found in pairs]


def _image(random: np.random.Generator, names: tuple[str, ...]) -> tuple[AnnotatedImage, Detections]:
    # An image holds few classes, and some of them often.
    present = random.choice(CLASSES, 4, replace=False)
    count = int(random.poisson(BOXES_AN_IMAGE))
    boxes, classes = _boxes(random, count), random.choice(present, count)
    seen = random.random(count) < _RECALL
    moved = boxes[seen] + random.normal(0, 4, (int(seen.sum()), 4))
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
    false = DETECTIONS_AN_IMAGE - len(moved)
    found = np.concatenate([moved, _boxes(random, false)])
    kinds = np.concatenate([classes[seen], random.choice(CLASSES, false)])
    scores = np.concatenate([random.beta(5, 2, len(moved)), random.beta(1, 8, false)])
    order = np.argsort(-scores, kind="stable")
    image = AnnotatedImage(
        file_name="a.jpg",
        width=int(_SIDE),
        height=int(_SIDE),
        boxes=boxes,
        classes=tuple(names[k] for k in classes),
        difficult=flags(count),
        iscrowd=flags(count, (bool(crowd) for crowd in random.random(count) < _CROWDS)),
    )
    return image, Detections(as_boxes(found[order]), tuple(names[k] for k in kinds[order]), scores[order])


def _boxes(random: np.random.Generator, count: int) -> Any:
    sides = np.exp(random.uniform(np.log(8), np.log(_SIDE / 2), (count, 2)))
    corners = random.uniform(0, 1, (count, 2)) * (_SIDE - sides)
    return as_boxes(np.concatenate([corners, corners + sides], axis=1))


def _seconds(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _figures(truth: Dataset, detections: list[Detections]) -> list[float | None]:
    return list(coco_figures(truth, detections).by_name().values())


def _reference(content: CocoContent, rows: list[CocoResult]) -> list[float | None]:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = content
        truth.createIndex()
        # It changes its argument.
        evaluation = COCOeval(truth, truth.loadRes([dict(row) for row in rows]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [None if value == -1 else float(value) for value in evaluation.stats]
