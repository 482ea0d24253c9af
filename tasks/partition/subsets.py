"""Nested subsets of the training images: the smaller ones are in the larger ones, classes are spread, groups whole."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import AnnotatedImage
from tasks.errors import DataError
from tasks.ground.text import counted, quoted
from tasks.partition.stratify import assign_groups

# With fewer images of a class, mAP says mostly which of them came into the subset.
LEAST_OF_CLASS = 4

Subset = frozenset[str]


def nested_subsets(
    groups: Sequence[Sequence[AnnotatedImage]], classes: Sequence[str], percents: Sequence[int], seed: int
) -> list[Subset]:
    """The file names in each subset; it has about that percentage of the images, and all of the one before it.

    Args:
        groups: similar images, which come into a subset together.
        classes: all class names.
        percents: rising, the last is 100.
        seed: another gives other subsets.

    Raises:
        DataError: there are too few images, or too few that differ; or too few of a class in the first subset.
    """
    images = sum(map(len, groups))
    added = [percent - before for before, percent in pairwise([0, *percents])]
    # As many as there are subsets, each with an image of its own.
    if len(groups) < len(percents) or min(added) * images < 100:
        raise DataError(
            f"{counted(images, 'training image')}, {len(groups)} of them different (similar images stay together), are "
            f"too few for the sizes {', '.join(f'{percent} %' for percent in percents)}: add images"
        )
    fractions = {str(percent): more / 100 for percent, more in zip(percents, added, strict=True)}
    assigned = assign_groups(groups, classes, fractions, seed=seed, kept={})
    place = {str(percent): number for number, percent in enumerate(percents)}
    subsets = [
        frozenset(
            image.file_name
            for group, own in zip(groups, assigned, strict=True)
            if place[own] <= number
            for image in group
        )
        for number in range(len(percents))
    ]
    _refuse_rare_classes(groups, classes, percents[0], subsets[0])
    return subsets


def chosen(images: Sequence[AnnotatedImage], subset: Subset) -> npt.NDArray[np.bool_]:
    """`(N,)`: which of `images` are in the subset."""
    return np.array([image.file_name in subset for image in images], bool)


def _refuse_rare_classes(
    groups: Sequence[Sequence[AnnotatedImage]], classes: Sequence[str], percent: int, subset: Subset
) -> None:
    counts = {
        name: sum(name in image.classes for group in groups for image in group if image.file_name in subset)
        for name in classes
    }
    rarest = min(counts, key=lambda name: counts[name])
    if counts[rarest] < LEAST_OF_CLASS:
        raise DataError(
            f"{percent} % of the training images are {counted(len(subset), 'image')}, of which "
            f"{counts[rarest] or 'none'} with {quoted(rarest)}; from {LEAST_OF_CLASS} images of each class on a curve "
            "says something: add images, or begin with a larger size (--sizes 50 75 100)"
        )
