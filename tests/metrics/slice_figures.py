"""Parts of a data set with their detections, cut before they are matched: what slices are compared with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy.typing as npt

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections


def only_images(
    groundtruth: Dataset, detections: Sequence[Detections], chosen: npt.ArrayLike
) -> tuple[Dataset, list[Detections]]:
    """The images with the indices `chosen`."""
    indices = [int(i) for i in list(chosen)]  # type: ignore[arg-type]
    images = tuple(groundtruth.images[i] for i in indices)
    return replace(groundtruth, images=images), [detections[i] for i in indices]
