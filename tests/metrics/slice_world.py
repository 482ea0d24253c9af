"""A world of images whose light, camera, boxes' size and the like change nothing, unless it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Boxes, as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.detections import Detections
from tasks.metrics.slices import NumberTrait, Traits
from tests.metrics.cases import dataset

CLASSES = ("cat", "dog", "owl")
_SHARE = (0.6, 0.3, 0.1)
_SIDE_PX = 640


@dataclass(frozen=True)
class Scene:
    """What may make the boxes of one image harder to find."""

    boxes: Boxes
    brightness: float
    camera: str

    @property
    def sides(self) -> npt.NDArray[np.float64]:
        """The longer side of each box, in parts of the image's."""
        return np.asarray((self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1) / _SIDE_PX)


Harm = Callable[[Scene], npt.NDArray[np.float64]]


def no_harm(scene: Scene) -> npt.NDArray[np.float64]:
    """Every box is found as well as any other."""
    return np.ones(len(scene.boxes))


def draw_world(
    random: np.random.Generator, images: int, harm: Harm = no_harm
) -> tuple[Dataset, list[Detections], Traits]:
    """Images, what a detector finds in them, and what is known of them.

    Some images are hard as a whole, and the boxes of an image are of about one size: boxes are no draws of their own.
    `harm` gives by what the chance of each box to be found is multiplied.
    """
    brightness, sharpness = random.uniform(20, 230, images), random.gamma(2, 1, images)
    cameras = [str(name) for name in random.choice(["north", "south", "east"], images, p=[0.5, 0.35, 0.15])]
    folders = [str(name) for name in random.choice(list("abcd"), images)]
    hard = random.beta(1.2, 2.4, images)
    annotated, found = [], []
    for i in range(images):
        scale, count = random.uniform(0.02, 0.45), int(random.integers(1, 13))
        boxes = _boxes(random, count, scale)
        names = tuple(str(name) for name in random.choice(CLASSES, count, p=_SHARE))
        annotated.append(AnnotatedImage(f"{i}.jpg", _SIDE_PX, _SIDE_PX, boxes, names, flags(count), flags(count)))
        factors = harm(Scene(boxes, brightness[i], cameras[i]))
        found.append(_detections(random, annotated[-1], hard[i], scale, factors))
    thirds = ("low", "middle", "high")
    numbers = [
        NumberTrait("brightness", brightness.tolist(), thirds, "of 255"),
        NumberTrait("sharpness", sharpness.tolist(), thirds, "sharpness"),
    ]
    return dataset(*annotated, classes=CLASSES), found, Traits(numbers, {"camera": cameras, "folder": folders})


def _boxes(random: np.random.Generator, count: int, scale: float) -> Boxes:
    """Boxes of about `scale` of the image's side; a fifth of them at its edge."""
    sides = np.minimum(_SIDE_PX * scale * np.exp(random.normal(0, 0.4, (count, 2))), 0.9 * _SIDE_PX)
    corners = random.uniform(0.05, 0.95, (count, 2)) * (_SIDE_PX - sides)
    corners[random.random(count) < 0.2, 0] = 0.0
    return np.concatenate([corners, corners + sides], axis=1)


def _detections(
    random: np.random.Generator,
    image: AnnotatedImage,
    hard: float,
    scale: float,
    factors: npt.NDArray[np.float64],
) -> Detections:
    rows, classes, scores = [], [], []
    for box, name, factor in zip(image.boxes, image.classes, factors, strict=True):
        if random.random() < factor * (0.95 - 0.6 * hard):
            side = np.tile(box[2:] - box[:2], 2)
            # A box at the edge is moved as any other, beyond it too: else it would be found better.
            rows.append(box + random.normal(0, 0.02 + 0.08 * hard, 4) * side)
            classes.append(name if random.random() < 0.95 else str(random.choice(CLASSES)))
            scores.append(random.beta(6, 2 + 5 * hard))
    # As many false ones for each box: else images of few boxes would be harder.
    for box in _boxes(random, int(random.poisson(0.5 * hard * len(image.boxes))), scale):
        rows.append(box)
        classes.append(str(random.choice(CLASSES, p=_SHARE)))
        scores.append(random.beta(2, 4))
    order = np.argsort(-np.array(scores), kind="stable")
    return Detections(as_boxes([rows[i] for i in order]), tuple(classes[i] for i in order), np.array(scores)[order])
