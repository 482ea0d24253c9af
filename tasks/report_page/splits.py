"""The splits: classes by split, leaks between them, and the images in none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.artifacts.split import DroppedImage, Leak
from tasks.dataset.dataset import Dataset

_MOST_LISTED = 10


@dataclass(frozen=True)
class SplitRow:
    """A class of the table of splits.

    Attributes:
        name: the class; `all` in the first row.
        colour: of its boxes in pictures; empty for `all`.
        counts: for each split, how many images show the class and how many boxes it has.
    """

    name: str
    colour: str
    counts: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class SimilarRow:
    """Two similar images: `(split, file name)` of both, and how similar they are."""

    files: Sequence[tuple[str, str]]
    how: str


@dataclass(frozen=True)
class SimilarRows:
    """How many rows there are, and the first of them."""

    count: int
    rows: Sequence[SimilarRow]


def split_rows(splits: Mapping[str, Dataset], colours: Mapping[str, str]) -> list[SplitRow]:
    """A row for all classes, then one for each: images that show it and boxes, by split."""
    rows = [SplitRow("all", "", [(len(split.images), split.box_counts().total()) for split in splits.values()])]
    for name in dict.fromkeys(name for split in splits.values() for name in split.classes):
        counts = [
            (sum(name in image.classes for image in split.images), split.box_counts()[name])
            for split in splits.values()
        ]
        rows.append(SplitRow(name, colours.get(name, ""), counts))
    return rows


def leak_rows(leaks: Sequence[Leak] | None) -> SimilarRows | None:
    """The leaks and the ten most similar pairs; None where they were not recorded."""
    if leaks is None:
        return None
    return SimilarRows(len(leaks), [SimilarRow(leak.files, leak.similarity) for leak in leaks[:_MOST_LISTED]])


def dropped_rows(dropped: Sequence[DroppedImage]) -> SimilarRows:
    """The images in no split, and the first ten: each with its split before, and the image that it is similar to."""
    rows = [
        SimilarRow([(row.given_split, row.image), (row.like_in, row.like)], row.similarity)
        for row in dropped[:_MOST_LISTED]
    ]
    return SimilarRows(len(dropped), rows)
