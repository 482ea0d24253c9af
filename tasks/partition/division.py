"""A data set divided into its splits, and the figures of metrics/split.json."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.artifacts.split import Leak, SplitCounts, SplitMetrics
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.splits import SPLITS
from tasks.partition.similar import SimilarImages


@dataclass(frozen=True)
class Division:
    """A divided data set.

    Attributes:
        splits: the data sets of train, val and test.
        dropped: the images in no split.
    """

    splits: Mapping[str, Dataset]
    dropped: Dataset

    @property
    def with_dropped(self) -> dict[str, Dataset]:
        """The splits, and `dropped` where there are such images."""
        return {**self.splits, **({"dropped": self.dropped} if self.dropped.images else {})}

    @property
    def split_by_hash(self) -> dict[str, str]:
        """The split of each content, by SHA-256; images that were not hashed are left out."""
        return {image.sha256: name for name, split in self.splits.items() for image in split.images if image.sha256}


def divide(dataset: Dataset, similar: SimilarImages, assigned: Mapping[str, str]) -> Division:
    """Divide `dataset`, whose images are those of `similar`; `assigned` is the split of each image by file name."""
    images: dict[str, list[AnnotatedImage]] = {name: [] for name in (*SPLITS, "dropped")}
    for image in similar.images:
        images[assigned.get(image.file_name, "dropped")].append(image)
    datasets = {name: Dataset(dataset.root, dataset.classes, tuple(own)) for name, own in images.items()}
    return Division({name: datasets[name] for name in SPLITS}, datasets["dropped"])


def split_metrics(division: Division, similar: SimilarImages, leaks: Sequence[Leak]) -> SplitMetrics:
    """The figures of a division; `similar` has at least one image."""
    sizes = [len(group) for group in similar.groups]
    contents = Counter(image.sha256 for image in similar.images if image.sha256)
    counts = {
        name: SplitCounts(images=len(dataset.images), boxes=dict(dataset.box_counts()))
        for name, dataset in division.with_dropped.items()
    }
    return SplitMetrics(
        groups=len(sizes),
        largest_group=max(sizes),
        copies=sum(count - 1 for count in contents.values()),
        alike_images=sum(size for size in sizes if size > 1),
        leaks=len(leaks),
        leaking_test_images=len({leak.test for leak in leaks if leak.test is not None}),
        train=counts["train"],
        val=counts["val"],
        test=counts["test"],
        dropped=counts.get("dropped"),
    )
