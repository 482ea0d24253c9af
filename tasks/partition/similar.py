"""Which images of a data set are similar, and the groups that stay together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tasks.dataset.dataset import AnnotatedImage
from tasks.partition.near_duplicates import Pair, connected_groups, neighbouring_frames, similar_pairs

if TYPE_CHECKING:
    from tasks.params import SplitParams


class SimilarImages(NamedTuple):
    """Images in the order of their file names, the similar pairs among them, and the groups that the pairs connect.

    An image that is similar to no other is a group of its own.
    """

    images: Sequence[AnnotatedImage]
    pairs: Sequence[Pair]
    groups: Sequence[Sequence[AnnotatedImage]]


def find_similar(images: Sequence[AnnotatedImage], params: "SplitParams") -> SimilarImages:
    """Pairs of near-duplicates and of neighbours in a run of numbered files, and the groups that they connect."""
    ordered = sorted(images, key=lambda image: image.file_name)
    # A set: neighbours that are near-duplicates too are found twice.
    pairs = sorted(
        {
            *similar_pairs(ordered, params.near_duplicate_distance),
            *neighbouring_frames(ordered, params.frame_run_distance),
        }
    )
    groups = connected_groups(len(ordered), pairs)
    return SimilarImages(ordered, pairs, [[ordered[i] for i in group] for group in groups])
