"""What divides the test images into slices: their light and focus, measured while a model is given them, and words."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections, Detector
from tasks.dataset.splits import split_named
from tasks.images.light_and_focus import LightAndFocus, light_and_focus
from tasks.metrics.slice_groups import MOST_WORDS
from tasks.metrics.slices import NumberTrait, Traits

_FOLDER = "folder"
# Folders that tools make for all images.
_OF_EVERY_IMAGE = frozenset({"images", "image", "img", "imgs", "jpegimages", "photos", "data"})


class MeasuringDetector:
    """A detector that measures each photo it is given, in their order.

    Attributes:
        measured: of every photo so far.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.measured: list[LightAndFocus] = []

    @property
    def classes(self) -> tuple[str, ...]:
        """The detector's."""
        return self._detector.classes

    def detect(self, images: Sequence[npt.NDArray[np.uint8]]) -> list[Detections]:
        """What the detector finds."""
        self.measured += [light_and_focus(image) for image in images]
        return self._detector.detect(images)


def traits_of(test: Dataset, measured: Sequence[LightAndFocus]) -> Traits:
    """The light and focus of each image of `test`, the level of folders they lie in, and what their annotations say."""
    words = {_FOLDER: folders_of(test.images)}
    names = dict.fromkeys(name for image in test.images for name in image.slices)
    words |= {name: [image.slices.get(name, "") for image in test.images] for name in names}
    return Traits(
        numbers=[
            NumberTrait(
                "brightness",
                [each.brightness for each in measured],
                ("dark images", "images of medium brightness", "bright images"),
                "of 255",
            ),
            NumberTrait(
                "sharpness",
                [each.sharpness for each in measured],
                ("blurred images", "images of medium sharpness", "sharp images"),
                "variance of the Laplacian",
            ),
        ],
        words=words,
    )


def folders_of(images: Sequence[AnnotatedImage]) -> list[str]:
    """The folder of each image on the first level below the data set's root where there are several, else empty.

    Folders named after splits, and those that tools make for all images, are passed over. More than 20 different
    folders are rather shots or days than slices: then all are empty.
    """
    paths = [
        [part for part in PurePosixPath(image.file_name).parent.parts if not _is_passed_over(part)] for image in images
    ]
    for level in range(max(map(len, paths), default=0)):
        folders = [path[level] if level < len(path) else "" for path in paths]
        different = Counter(filter(None, folders))
        if len(different) > 1:
            return folders if len(different) <= MOST_WORDS else [""] * len(paths)
    return [""] * len(paths)


def _is_passed_over(folder: str) -> bool:
    return bool(split_named(folder)) or folder.lower() in _OF_EVERY_IMAGE
