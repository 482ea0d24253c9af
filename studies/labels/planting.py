"""Mistakes as people make them, planted into the labels of a data set."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from tasks.dataset.boxes import Boxes, clip, corners, iou
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.review.planting import boxes_on_nothing, relative_sides

PlantedKind = Literal["dropped", "shifted", "added", "swapped"]
KINDS: tuple[PlantedKind, ...] = get_args(PlantedKind)

# Of its sides, in both directions: the IoU with the right box is .32.
_SHIFT = 0.3
# A free place for a box that is added is looked for so many times.
_TRIES = 200


class Planted(NamedTuple):
    """One mistake.

    Attributes:
        kind: what was done to a label.
        image: its place in the data set.
        box: the label's, as it is now; of a label that was dropped, as it was. XYXY_ABS.
        class_name: the label's, as it is now, or was.
    """

    kind: PlantedKind
    image: int
    box: tuple[float, float, float, float]
    class_name: str


def plant(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, list[Planted]]:
    """The data set with mistakes in `share` of its labels, as many of each kind, and what they are.

    A class is swapped only where there are two. No label gets two mistakes.
    """
    rng = np.random.default_rng(seed)
    images = list(dataset.images)
    labels = [(place, label) for place, image in enumerate(images) for label in range(len(image.classes))]
    kinds = [kind for kind in KINDS if kind != "swapped" or len(dataset.classes) > 1]
    shapes = relative_sides(images)
    planted: list[Planted] = []
    dropped: dict[int, list[int]] = {}
    for number, at in enumerate(rng.permutation(len(labels))[: round(share * len(labels))]):
        kind, (place, label) = kinds[number % len(kinds)], labels[at]
        image = images[place]
        box, name = image.boxes[label], image.classes[label]
        if kind == "dropped":
            dropped.setdefault(place, []).append(label)
        elif kind == "swapped":
            name = str(rng.choice([other for other in dataset.classes if other != name]))
            images[place] = _with_class(image, label, name)
        elif kind == "shifted":
            box = _shifted(image, label, rng)
            images[place] = _with_box(image, label, box)
        else:
            place, box, name = _free_place(images, shapes, dataset.classes, rng)
            images[place] = _with_label(images[place], box, name)
        planted.append(Planted(kind, place, corners(box) or (0.0, 0.0, 0.0, 0.0), name))
    for place, gone in dropped.items():
        kept = np.ones(len(images[place].classes), bool)
        kept[gone] = False
        images[place] = images[place].keep(kept)
    return Dataset(dataset.root, dataset.classes, tuple(images)), planted


def _with_class(image: AnnotatedImage, label: int, name: str) -> AnnotatedImage:
    return replace(image, classes=(*image.classes[:label], name, *image.classes[label + 1 :]))


def _with_box(image: AnnotatedImage, label: int, box: Boxes) -> AnnotatedImage:
    boxes = image.boxes.copy()
    boxes[label] = box
    return replace(image, boxes=boxes)


def _with_label(image: AnnotatedImage, box: Boxes, name: str) -> AnnotatedImage:
    return replace(
        image,
        boxes=np.concatenate([image.boxes, box[None]]),
        classes=(*image.classes, name),
        difficult=np.append(image.difficult, False),
        iscrowd=np.append(image.iscrowd, False),
    )


def _shifted(image: AnnotatedImage, label: int, rng: np.random.Generator) -> Boxes:
    box = image.boxes[label]
    offset = (box[2:] - box[:2]) * _SHIFT * rng.choice([-1.0, 1.0], 2)
    moved = clip((box + np.tile(offset, 2))[None], width=image.width, height=image.height)[0]
    # At the image's edge a shift outwards only cuts the box.
    if iou(moved[None], box[None])[0, 0] < 0.5:
        return np.asarray(moved)
    return np.asarray(clip((box - np.tile(offset, 2))[None], width=image.width, height=image.height)[0])


def _free_place(
    images: Sequence[AnnotatedImage], shapes: Boxes, names: Sequence[str], rng: np.random.Generator
) -> tuple[int, Boxes, str]:
    """An image, a box in it on no label, and a class.

    Raises:
        ValueError: no image has a free place: a data set of nothing but labels.
    """
    for _ in range(_TRIES):
        place = int(rng.integers(len(images)))
        for box in boxes_on_nothing(images[place], shapes, 1, rng):
            return place, box, str(rng.choice(list(names)))
    raise ValueError("no free place for a box that is added")
