"""Which images of a data set look alike, and the groups that stay together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tasks.dataset.dataset import AnnotatedImage
from tasks.partition.near_duplicates import Pair, alike, consecutive, groups

if TYPE_CHECKING:
    from tasks.params import SplitParams


class SimilarImages(NamedTuple):
    """Images in the order of their names, which pairs look alike, and the groups that these make."""

    images: Sequence[AnnotatedImage]
    pairs: Sequence[Pair]
    groups: Sequence[Sequence[AnnotatedImage]]


def find_similar(images: Sequence[AnnotatedImage], params: "SplitParams") -> SimilarImages:
    """Pairs of images that look alike, or are neighbours in a run of numbered files, and the groups they make."""
    ordered = sorted(images, key=lambda image: image.file_name)
    # Neighbours that are near-duplicates too come from both.
    pairs = sorted({*alike(ordered, params.near_duplicate_distance), *consecutive(ordered, params.frame_run_distance)})
    return SimilarImages(ordered, pairs, [[ordered[i] for i in group] for group in groups(len(ordered), pairs)])
