"""Test images with their groundtruth and detections: the boxes drawn over a thumbnail, and the counts below it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.dataset.boxes import Boxes
from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.detections import Detections
from tasks.report_page.outcomes import FOUND, IGNORED, Outcomes


@dataclass(frozen=True)
class Mark:
    """One box as the page draws it: its corner and sides in pixels of the image.

    Attributes:
        outcome: of a detection: `found`, `false`, or `ignored` inside a crowd; of groundtruth: `found`, `missed` or
            `crowd`.
        score: of a detection; of groundtruth that was found: its detection's.
        kind: of a false detection, what is wrong with it.
    """

    x: float
    y: float
    width: float
    height: float
    name: str
    colour: str
    outcome: str
    score: float
    kind: str = ""


@dataclass(frozen=True)
class Shot:
    """One image of the gallery.

    Attributes:
        picture: base64 of a JPEG; empty where the file could not be read.
        objects: boxes to be found, crowds left out.
    """

    file_name: str
    width: int
    height: int
    picture: str
    groundtruth: tuple[Mark, ...]
    detections: tuple[Mark, ...]
    objects: int

    @property
    def found_objects(self) -> int:
        """Objects with a detection of their class."""
        return sum(mark.outcome == "found" for mark in self.detections)

    @property
    def missed(self) -> int:
        """Objects without."""
        return self.objects - self.found_objects

    @property
    def false(self) -> int:
        """Detections of nothing, of another class, or of an object already found."""
        return sum(mark.outcome == "false" for mark in self.detections)


def spread(total: int, wanted: int) -> list[int]:
    """At most `wanted` indices of `total`, evenly from the first to the last."""
    return [int(i) for i in np.unique(np.linspace(0, total - 1, min(wanted, total)).round())] if wanted > 0 else []


def shot_of(
    image: AnnotatedImage,
    detections: Detections,
    outcomes: Outcomes,
    colours: Mapping[str, str],
    jpeg: bytes | None,
    least_score: float,
) -> Shot:
    """The gallery's entry for one image, with its detections from `least_score` on."""
    met = {box: score for box, score in outcomes.met.items() if score >= least_score}
    truth = tuple(
        _mark(image.boxes[i], name, "", _outcome_of_box(image, i, met), met.get(i, 0.0))
        for i, name in enumerate(image.classes)
    )
    found = tuple(
        _detection(detections, i, outcomes.detections[i], colours)
        for i in np.argsort(-detections.scores, kind="stable")
        if detections.scores[i] >= least_score
    )
    return Shot(
        file_name=image.file_name,
        width=max(1, image.width),
        height=max(1, image.height),
        picture="" if jpeg is None else base64.b64encode(jpeg).decode("ascii"),
        groundtruth=truth,
        detections=found,
        objects=int((~image.iscrowd).sum()),
    )


def _detection(detections: Detections, i: int, outcome: str, colours: Mapping[str, str]) -> Mark:
    name, score = detections.classes[i], float(detections.scores[i])
    kind = "" if outcome in (FOUND, IGNORED) else outcome
    return _mark(detections.boxes[i], name, colours.get(name, "#ffffff"), "false" if kind else outcome, score, kind)


def _outcome_of_box(image: AnnotatedImage, i: int, found: Mapping[int, float]) -> str:
    if image.iscrowd[i]:
        return "crowd"
    return "found" if i in found else "missed"


def _mark(box: Boxes, name: str, colour: str, outcome: str, score: float, kind: str = "") -> Mark:
    xmin, ymin, xmax, ymax = (round(float(value), 1) for value in box)
    sides = (round(max(0.0, xmax - xmin), 1), round(max(0.0, ymax - ymin), 1))
    return Mark(xmin, ymin, *sides, name, colour, outcome, score, kind)
