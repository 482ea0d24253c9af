"""A world of images and detectors whose true figures are known, to draw test sets from."""

import numpy as np

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections
from tests.metrics.cases import dataset

CLASSES = ("cat", "dog", "owl")
_SHARE = (0.6, 0.3, 0.1)
# Of a detector of skill 1, the mean over ten test sets of 20,000 images each, and how far that may be off.
TRUTH = {"mAP": 0.4148, "AP50": 0.5839, "AP75": 0.5178, "AR100": 0.5151, "AP of cat": 0.4570, "AP of owl": 0.3559}
TRUTH_WITHIN = 0.004


def draw(random: np.random.Generator, images: int) -> tuple[Dataset, list[Detections]]:
    """Images of one to six things; some are hard as a whole, and there boxes are missed, loose, and less sure."""
    truth, (found,) = draw_for(random, images, [1.0])
    return truth, found


def draw_for(
    random: np.random.Generator, images: int, skills: list[float]
) -> tuple[Dataset, tuple[list[Detections], ...]]:
    """The same images for several detectors; one of a lower skill than another finds less."""
    hard = random.beta(2, 4, images)
    annotated = [_image(random) for _ in range(images)]
    found = tuple(
        [_detections(random, image, doubt, skill) for image, doubt in zip(annotated, hard, strict=True)]
        for skill in skills
    )
    return dataset(*annotated, classes=CLASSES), found


def _image(random: np.random.Generator) -> AnnotatedImage:
    count = int(random.integers(1, 7))
    corners, sides = random.uniform(0, 400, (count, 2)), random.uniform(20, 150, (count, 2))
    boxes = np.concatenate([corners, corners + sides], axis=1)
    names = tuple(str(name) for name in random.choice(CLASSES, count, p=_SHARE))
    return AnnotatedImage("a.jpg", 600, 600, as_boxes(boxes), names, flags(count), flags(count))


def _detections(random: np.random.Generator, image: AnnotatedImage, hard: float, skill: float) -> Detections:
    rows, classes, scores = [], [], []
    for box, name in zip(image.boxes, image.classes, strict=True):
        if random.random() < skill * (0.9 - 0.6 * hard):
            side = box[2:] - box[:2]
            rows.append(box + random.normal(0, 0.02 + 0.1 * hard, 4) * np.tile(side, 2))
            classes.append(name if random.random() < 0.95 else str(random.choice(CLASSES)))
            scores.append(random.beta(6, 2 + 5 * hard))
    for _ in range(random.poisson(3 * hard)):
        corner = random.uniform(0, 400, 2)
        rows.append(np.concatenate([corner, corner + random.uniform(20, 150, 2)]))
        classes.append(str(random.choice(CLASSES)))
        scores.append(random.beta(2, 4))
    order = np.argsort(-np.array(scores), kind="stable")
    return Detections(as_boxes([rows[i] for i in order]), tuple(classes[i] for i in order), np.array(scores)[order])
