"""What became of every detection and of every object, image by image, from COCO's matching at IoU 0.5."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.metrics.errors import mistakes
from tasks.metrics.matching import IOU_50, Matches

FOUND, IGNORED = "found", "ignored"


@dataclass(frozen=True)
class Outcomes:
    """Of one image.

    Attributes:
        detections: of each detection `found`, a kind of mistake, or `ignored`: one inside a crowd, or beyond the
            hundred surest of its class.
        met: of each object that was found the score of the detection that did, by the object's index.
    """

    detections: list[str]
    met: dict[int, float] = field(default_factory=dict)


def outcomes(groundtruth: Dataset, detections: Sequence[Detections], matches: Matches) -> list[Outcomes]:
    """One for each image; `matches` are those of `groundtruth` and `detections`."""
    found = [Outcomes([IGNORED] * len(each.classes)) for each in detections]
    first_box = np.searchsorted(matches.box_image, np.arange(matches.images))
    for one in np.flatnonzero(matches.matched[0, IOU_50] & ~matches.ignored[0, IOU_50]):
        own = found[matches.image[one]]
        own.detections[matches.source[one]] = FOUND
        own.met[int(matches.box[IOU_50, one] - first_box[matches.image[one]])] = float(matches.score[one])
    for mistake in mistakes(groundtruth, detections, matches):
        if mistake.detection >= 0:
            found[mistake.image].detections[matches.source[mistake.detection]] = mistake.kind
    return found
