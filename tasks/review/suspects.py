"""The labels of a data set that are probably wrong, the most probable first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import Corners, corners, iou
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections
from tasks.review.calibration import fit_probability
from tasks.review.evidence import FEATURES, Seen, finders, label_features, log_odds, seen, uncovered
from tasks.review.planting import boxes_on_nothing, other_classes, relative_sides, shifted_boxes

SuspectKind = Literal["missing_box", "wrong_class", "misplaced_box", "box_on_nothing", "duplicate_box"]
KINDS: tuple[SuspectKind, ...] = get_args(SuspectKind)

# Of all labels, how many are assumed to be wrong: studies of public data sets found 3 to 10 % (Northcutt, Athalye and
# Mueller 2021, arXiv:2103.14749). It decides the probabilities and not who comes first.
_WRONG = 0.05
# For each image; a box on nothing needs a free place, which not every draw finds.
_ON_NOTHING_TRIED = 4
# Two labels that overlap so much are one thing, drawn twice.
_DUPLICATE_FROM = 0.8
_SEED = 1

_Floats = npt.NDArray[np.float64]


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

    `detections[i]` are of a network that has not learned from image i. A data set without labels has no suspects.
    """
    found = [seen(each) for each in detections]
    images = dataset.images
    if not any(image.classes for image in images):
        return []
    labels = [_features(image, each) for image, each in zip(images, found, strict=True)]
    probability = _probabilities(dataset, found, np.concatenate(labels))
    ends = np.cumsum([len(rows) for rows in labels])
    suspects = [
        _of_label(
            place, image, label, found[place], {kind: values[start + label] for kind, values in probability.items()}
        )
        for place, (image, start) in enumerate(zip(images, ends - [len(rows) for rows in labels], strict=True))
        for label in range(len(image.classes))
    ]
    suspects += _missing(dataset, found)
    return sorted(suspects, key=lambda each: (-each.score, each.image, each.box))


def _features(image: AnnotatedImage, found: Seen) -> _Floats:
    return label_features(image.boxes, np.array(image.classes, str), found)


def _probabilities(dataset: Dataset, found: Sequence[Seen], labels: _Floats) -> dict[SuspectKind, _Floats]:
    """For each kind of mistake in a label, how probable it is, `(all labels,)`."""
    planted = _planted(dataset, found)
    rate = _WRONG / len(KINDS)
    return {kind: fit_probability(rows, labels, rate)(labels) for kind, rows in planted.items()}


def _planted(dataset: Dataset, found: Sequence[Seen]) -> dict[SuspectKind, _Floats]:
    """What the evidence looks like for each kind of mistake, `(N, FEATURES)`."""
    rng = np.random.default_rng(_SEED)
    shapes = relative_sides(dataset.images)
    rows: dict[SuspectKind, list[_Floats]] = {"misplaced_box": [], "box_on_nothing": [], "wrong_class": []}
    for image, each in zip(dataset.images, found, strict=True):
        classes = np.array(image.classes, str)
        nothing = boxes_on_nothing(image, shapes, _ON_NOTHING_TRIED, rng)
        any_class = rng.choice(np.array(dataset.classes, str), len(nothing))
        rows["misplaced_box"].append(label_features(shifted_boxes(image, rng), classes, each))
        rows["box_on_nothing"].append(label_features(nothing, any_class, each))
        if len(dataset.classes) > 1:
            swapped = other_classes(classes, dataset.classes, rng)
            rows["wrong_class"].append(label_features(image.boxes, swapped, each))
    return {kind: np.concatenate([np.zeros((0, FEATURES)), *parts]) for kind, parts in rows.items()}


def _of_label(
    place: int, image: AnnotatedImage, label: int, found: Seen, probability: dict[SuspectKind, float]
) -> Suspect:
    """The suspicion against one label: any mistake, of the most probable kind."""
    duplicate = _duplicate_of(image, label)
    kind = "duplicate_box" if duplicate else max(probability, key=lambda each: probability[each])
    score = duplicate or 1.0 - float(np.prod([1.0 - value for value in probability.values()]))
    class_, box = image.classes[label], corners(image.boxes[label])
    instead = _instead(kind, class_, image, label, found)
    seen_class, seen_box = (None, None) if instead is None else instead
    return Suspect(kind, place, label, class_, box or (0.0, 0.0, 0.0, 0.0), seen_class, seen_box, score)


def _duplicate_of(image: AnnotatedImage, label: int) -> float:
    """The IoU with an earlier label of the same class, where the two are one thing; else 0."""
    if not label:
        return 0.0
    same = np.array([name == image.classes[label] for name in image.classes[:label]])
    highest = float(np.where(same, iou(image.boxes[label : label + 1], image.boxes[:label])[0], 0.0).max())
    return highest if highest >= _DUPLICATE_FROM else 0.0


def _instead(
    kind: SuspectKind, class_: str, image: AnnotatedImage, label: int, found: Seen
) -> tuple[str, Corners] | None:
    """The class and box that a detector sees in place of a label; None where it sees nothing."""
    if kind in ("box_on_nothing", "duplicate_box") or not len(found.scores):
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
    finding = [finders(image, each) for image, each in zip(dataset.images, found, strict=True)]
    of_labels = _scores(found, [places[places >= 0] for places in finding])
    evidence = _scores(found, free)
    labels = sum(len(image.classes) for image in dataset.images)
    # So many labels are missing, if mistakes are of all kinds alike, and so many of them would be seen at all.
    missing = _WRONG / len(KINDS) * labels * len(of_labels) / max(labels, 1)
    probability = fit_probability(of_labels, evidence, missing / max(missing + len(evidence), 1.0))(evidence)
    places = [(place, int(each)) for place, own in enumerate(free) for each in own]
    suspects = []
    for (place, each), score in zip(places, probability, strict=True):
        box, name = corners(found[place].boxes[each]), str(found[place].classes[each])
        if box:
            suspects.append(Suspect("missing_box", place, None, name, box, name, box, float(score)))
    return suspects


def _scores(found: Sequence[Seen], places: Sequence[npt.NDArray[np.int64]]) -> _Floats:
    """`(N, 1)` the log-odds of the detections at `places`, image by image."""
    parts = [each.scores[own] for each, own in zip(found, places, strict=True)]
    return log_odds(np.concatenate([np.zeros(0), *parts]))[:, None]
