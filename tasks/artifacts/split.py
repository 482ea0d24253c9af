"""What the split stage writes beside the three COCO files: leaks, dropped images, and figures.

data/splits/leaks.json lists pairs of similar images in different splits, data/splits/dropped.json the images that are
in no split. metrics/split.json holds the figures.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact
from tasks.dataset.splits import SPLITS

HASH_BITS = 256
_LEAKS, _DROPPED = "leaks.json", "dropped.json"


def similarity(differing_bits: int, *, same_content: bool = False) -> str:
    """How similar two images are, in words; `differing_bits` is the distance of their perceptual hashes."""
    return "the same content" if same_content else f"{differing_bits} of {HASH_BITS} bits differ"


class SimilarPair(Artifact):
    """How similar two images are: by content, and by perceptual hash."""

    differing_bits: int
    same_content: bool

    @property
    def similarity(self) -> str:
        """The same in words."""
        return similarity(self.differing_bits, same_content=self.same_content)


class Leak(SimilarPair):
    """Two similar images in different splits: the file name in each of the two, None in the third."""

    train: str | None = Field(default=None, exclude_if=lambda name: name is None)
    val: str | None = Field(default=None, exclude_if=lambda name: name is None)
    test: str | None = Field(default=None, exclude_if=lambda name: name is None)

    @property
    def files(self) -> list[tuple[str, str]]:
        """`(split, file name)` of both images."""
        names = zip(SPLITS, (self.train, self.val, self.test), strict=True)
        return [(split, name) for split, name in names if name is not None]


class DroppedImage(SimilarPair):
    """An image in no split, and the one that it is most similar to.

    Attributes:
        image: its file name.
        given_split: the split that the data set's author put it in.
        like: the other image's file name.
        like_in: the other image's split, or `dropped`.
    """

    image: str
    given_split: str
    like: str
    like_in: str


class SplitCounts(Artifact):
    """How many images a split has, and how many boxes of each class."""

    images: int
    boxes: dict[str, int]


class SplitMetrics(Artifact):
    """metrics/split.json.

    Attributes:
        groups: groups of similar images; an image that is similar to no other is one of its own.
        largest_group: images in the largest.
        copies: images whose content another has too.
        alike_images: images that are similar to another.
        leaks: pairs of similar images in different splits.
        leaking_test_images: test images in such a pair.
        train: counts of this split.
        val: counts of this split.
        test: counts of this split.
        dropped: counts of the images in no split; None where there are none.
    """

    groups: int
    largest_group: int
    copies: int
    alike_images: int
    leaks: int
    leaking_test_images: int
    train: SplitCounts
    val: SplitCounts
    test: SplitCounts
    dropped: SplitCounts | None = Field(default=None, exclude_if=lambda counts: counts is None)


def read_leaks(splits: Path) -> list[Leak] | None:
    """The leaks that are listed in the folder `splits`; None where the file is missing.

    Raises:
        FormatError: the file is not what the split stage writes.
    """
    path = splits / _LEAKS
    return read_artifact(path, list[Leak], "split") if path.is_file() else None


def write_leaks(leaks: Sequence[Leak], splits: Path) -> None:
    """Write `leaks` into the folder `splits`, in their order."""
    write_artifact(splits / _LEAKS, list(leaks))


def read_dropped(splits: Path) -> list[DroppedImage]:
    """The images in no split that are listed in the folder `splits`; none where the file is missing.

    Raises:
        FormatError: the file is not what the split stage writes.
    """
    path = splits / _DROPPED
    return read_artifact(path, list[DroppedImage], "split") if path.is_file() else []


def write_dropped(dropped: Sequence[DroppedImage], splits: Path) -> None:
    """Write `dropped` into the folder `splits`, in their order."""
    write_artifact(splits / _DROPPED, list(dropped))


def write_split_metrics(metrics: SplitMetrics, path: Path) -> None:
    """Write `metrics` to the file `path`."""
    write_artifact(path, metrics)
