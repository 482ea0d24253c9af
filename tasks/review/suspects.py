"""The labels of a data set that are probably wrong, the most probable first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.artifacts.review import SuspectKind
from tasks.dataset.boxes import Boxes, Corners, corners, iou
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections
from tasks.review.calibration import fit_probability
from tasks.review.evidence import (
    AGREEMENT,
    FEATURES,
    MISSING_FEATURES,
    Seen,
    finders,
    label_features,
    missing_features,
    seen,
    uncovered,
)
from tasks.review.planting import boxes_on_nothing, other_classes, relative_sides, shifted_boxes
from tasks.review.ranks import ranks_among

# Of all labels, how many are assumed to be wrong: studies of public data sets found 3 to 10 % (Northcutt, Athalye and
# Mueller 2021, arXiv:2103.14749). It decides the probabilities and not who comes first.
_WRONG = 0.05
# For each image; a box on nothing needs a free place, which not every draw finds.
_ON_NOTHING_TRIED = 4
# Two labels that overlap so much are one thing, drawn twice.
_DUPLICATE_FROM = 0.8
_SEED = 1

_Floats = npt.NDArray[np.float64]
_Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Suspect:
    """A label that is probably wrong, or a thing without one.

    Attributes:
        kind: what is probably wrong.
        image: its place in the data set.
        label: its place among the image's labels; None for a missing one.
        class_, box: of the label; of what is seen, for a missing one.
        seen_class, seen_box: what is seen instead; None for nothing.
        score: how probable the mistake is, in 0..1.
    """

    kind: SuspectKind
    image: int
    label: int | None
    class_: str
    box: Corners
    seen_class: str | None
    seen_box: Corners | None
    score: float


def find_suspects(dataset: Dataset, detections: Sequence[Detections]) -> list[Suspect]:
    """Suspects in the images of `dataset`, the most probable first.

    `detections[i]` are of a network that has not learned from image i. A data set without labels has no suspects, and
    labels with a flag (difficult, crowd) are none: who set it has seen that the object is no plain one.
    """
    images = dataset.images
    if not any(image.classes for image in images):
        return []
    found = [seen(each) for each in detections]
    labels = [
        _features(image.boxes, np.array(image.classes, str), image, each)
        for image, each in zip(images, found, strict=True)
    ]
    probability = _probabilities(dataset, found, np.concatenate(labels))
    ends = np.cumsum([len(rows) for rows in labels])
    suspects = [
        _of_label(
            place, image, label, found[place], {kind: values[start + label] for kind, values in probability.items()}
        )
        for place, (image, start) in enumerate(zip(images, ends - [len(rows) for rows in labels], strict=True))
        for label in np.flatnonzero(~(image.difficult | image.iscrowd)).tolist()
    ]
    suspects += _missing(dataset, found)
    return sorted(suspects, key=lambda each: (-each.score, each.image, each.box))


def _rate(dataset: Dataset) -> float:
    """The assumed share of each kind of mistake: all alike; duplicates are known and need none."""
    return _WRONG / (4 if len(dataset.classes) > 1 else 3)


def _features(boxes: Boxes, classes: _Names, image: AnnotatedImage, found: Seen) -> _Floats:
    return label_features(boxes, classes, found, (image.width, image.height))


def _probabilities(dataset: Dataset, found: Sequence[Seen], labels: _Floats) -> dict[SuspectKind, _Floats]:
    """For each kind of mistake in a label, how probable it is, `(all labels,)`."""
    classes = np.array([name for image in dataset.images for name in image.classes], str)
    with_ranks = ranks_among(labels, classes, AGREEMENT)
    as_they_are = with_ranks(labels, classes)
    rate = _rate(dataset)
    return {
        kind: fit_probability(with_ranks(rows, names), as_they_are, rate)(as_they_are)
        for kind, (rows, names) in _planted(dataset, found).items()
    }


def _planted(dataset: Dataset, found: Sequence[Seen]) -> dict[SuspectKind, tuple[_Floats, _Names]]:
    """What the evidence looks like for each kind of mistake: `(N, FEATURES)`, and the names of the labels `(N,)`."""
    rng = np.random.default_rng(_SEED)
    shapes = relative_sides(dataset.images)
    rows: dict[SuspectKind, list[tuple[_Floats, _Names]]] = {"misplaced_box": [], "box_on_nothing": []}
    if len(dataset.classes) > 1:
        rows["wrong_class"] = []
    for image, each in zip(dataset.images, found, strict=True):
        classes = np.array(image.classes, str)
        nothing = boxes_on_nothing(image, shapes, _ON_NOTHING_TRIED, rng)
        any_class = rng.choice(np.array(dataset.classes, str), len(nothing))
        rows["misplaced_box"].append((_features(shifted_boxes(image, rng), classes, image, each), classes))
        rows["box_on_nothing"].append((_features(nothing, any_class, image, each), any_class))
        if len(dataset.classes) > 1:
            swapped = other_classes(classes, dataset.classes, rng)
            rows["wrong_class"].append((_features(image.boxes, swapped, image, each), swapped))
    return {
        kind: (
            np.concatenate([np.zeros((0, FEATURES)), *(features for features, _ in parts)]),
            np.concatenate([np.zeros(0, str), *(names for _, names in parts)]),
        )
        for kind, parts in rows.items()
    }


def _of_label(
    place: int, image: AnnotatedImage, label: int, found: Seen, probability: dict[SuspectKind, float]
) -> Suspect:
    """The suspicion against one label: any mistake, of the most probable kind."""
    class_, box = image.classes[label], corners(image.boxes[label]) or (0.0, 0.0, 0.0, 0.0)
    overlap, twin = _twin_of(image, label)
    if overlap >= _DUPLICATE_FROM:
        return Suspect("duplicate_box", place, label, class_, box, class_, corners(image.boxes[twin]), overlap)
    kind = max(probability, key=lambda each: probability[each])
    score = 1.0 - float(np.prod([1.0 - value for value in probability.values()]))
    instead = _instead(kind, class_, image, label, found)
    seen_class, seen_box = (None, None) if instead is None else instead
    return Suspect(kind, place, label, class_, box, seen_class, seen_box, score)


def _twin_of(image: AnnotatedImage, label: int) -> tuple[float, int]:
    """The highest IoU with an earlier label of the same class, and its place; 0 where there is none."""
    if not label:
        return 0.0, 0
    # The box of a crowd stands for all that is in it: a label that fills it is no second one of the same thing.
    same = np.array([name == image.classes[label] for name in image.classes[:label]]) & ~image.iscrowd[:label]
    overlap = np.where(same, iou(image.boxes[label : label + 1], image.boxes[:label])[0], 0.0)
    return float(overlap.max()), int(overlap.argmax())


def _instead(
    kind: SuspectKind, class_: str, image: AnnotatedImage, label: int, found: Seen
) -> tuple[str, Corners] | None:
    """The class and box that a detector sees in place of a label; None where it sees nothing."""
    if kind == "box_on_nothing" or not len(found.scores):
        return None
    overlap = iou(image.boxes[label : label + 1], found.boxes)[0]
    same = found.classes == class_
    fits = (~same & (overlap >= 0.5)) if kind == "wrong_class" else (same & (overlap >= 0.1))
    if not fits.any():
        return None
    best = int(np.argmax(np.where(fits, found.scores, -1.0)))
    box = corners(found.boxes[best])
    return (str(found.classes[best]), box) if box else None


def _missing(dataset: Dataset, found: Sequence[Seen]) -> list[Suspect]:
    """Things that a detector sees where no label is."""
    free = [uncovered(image, each) for image, each in zip(dataset.images, found, strict=True)]
    of_labels = _of_removed_labels(dataset, found)
    evidence = np.concatenate(
        [
            np.zeros((0, MISSING_FEATURES)),
            *(
                missing_features(image.boxes, each, own)
                for image, each, own in zip(dataset.images, found, free, strict=True)
            ),
        ]
    )
    # So many labels are missing, if mistakes are of all kinds alike, and so many of them would be seen at all.
    missing = _rate(dataset) * len(of_labels)
    probability = fit_probability(of_labels, evidence, missing / max(missing + len(evidence), 1.0))(evidence)
    places = [(place, int(each)) for place, own in enumerate(free) for each in own]
    suspects = []
    for (place, each), score in zip(places, probability, strict=True):
        box, name = corners(found[place].boxes[each]), str(found[place].classes[each])
        if box:
            suspects.append(Suspect("missing_box", place, None, name, box, name, box, float(score)))
    return suspects


def _of_removed_labels(dataset: Dataset, found: Sequence[Seen]) -> _Floats:
    """`(N, MISSING_FEATURES)`: what a missing label looks like, by removing each that a detection finds."""
    rows = [np.zeros((0, MISSING_FEATURES))]
    for image, each in zip(dataset.images, found, strict=True):
        for label, place in enumerate(finders(image, each)):
            if place >= 0:
                rows.append(missing_features(np.delete(image.boxes, label, axis=0), each, np.array([place])))
    return np.concatenate(rows)
