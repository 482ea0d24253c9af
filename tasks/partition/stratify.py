"""Groups of images assigned to splits so that each class is spread over the splits as the images are.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011,
algorithm 1), with four additions: a group stays together, a split never takes more images than its share, every class
goes to the first split first, and a group that has a split already keeps it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import AnnotatedImage
from tasks.errors import DataError


def assign_groups(
    groups: Sequence[Sequence[AnnotatedImage]],
    classes: Sequence[str],
    fractions: Mapping[str, float],
    *,
    seed: int,
    kept: Mapping[int, str],
) -> list[str]:
    """The split of each group.

    A split's size is its fraction of the images, rounded, as long as every group is one image; larger groups may make
    it larger or smaller.

    Args:
        groups: images that stay together; with another order, the same `seed` gives another result.
        classes: all class names.
        fractions: share of each split, summing to 1; the first split takes what rounding leaves. 0 gives an empty one.
        seed: chooses between equally good assignments.
        kept: the split of groups, by their index, that have one already.

    Raises:
        DataError: too few images, or too few groups, for every split with a fraction above 0 to have one.
    """
    names = list(fractions)
    sizes = _split_sizes(sum(map(len, groups)), len(groups), fractions)
    fixed = {group: names.index(split) for group, split in kept.items()}
    splits = _Assignment(groups, classes, sizes, np.random.default_rng(seed), fixed).run()
    return [names[split] for split in splits]


def _split_sizes(n_images: int, n_groups: int, fractions: Mapping[str, float]) -> list[int]:
    """How many images each split is to have."""
    first, *others = fractions
    sizes = {name: math.floor(fractions[name] * n_images + 0.5) for name in others}
    sizes = {first: n_images - sum(sizes.values()), **sizes}
    wanted = [name for name in fractions if fractions[name] > 0]
    empty = [name for name in wanted if sizes[name] < 1]
    if empty:
        needed = max(_least_images(fractions[name], is_first=name == first) for name in empty)
        shares = ", ".join(f"{name} {fraction:.0%}" for name, fraction in fractions.items())
        raise DataError(
            f"{n_images} images leave none for {', '.join(empty)} ({shares}): "
            f"at least {needed} images are needed; add some, or change split.val_fraction and split.test_fraction "
            "(0 makes no such split)"
        )
    if n_groups < len(wanted):
        raise DataError(
            f"only {n_groups} of the {n_images} images are different (similar images stay together), but "
            f"{', '.join(wanted)} need one each: add images that differ"
        )
    return [sizes[name] for name in fractions]


def _least_images(fraction: float, *, is_first: bool) -> int:
    """How many images a split with this fraction needs to get one, whatever the other splits round to."""
    if fraction == 1:
        return 1
    # The margin is for 1 - 0.49 - 0.49, which is not quite 0.02.
    return math.floor(1 / fraction + 1e-6) + 1 if is_first else math.ceil(0.5 / fraction - 1e-6)


@dataclass
class _Assignment:
    """One run of the algorithm: `open_*` is what each split lacks, and falls as groups are assigned."""

    groups: Sequence[Sequence[AnnotatedImage]]
    classes: Sequence[str]
    sizes: Sequence[int]
    rng: np.random.Generator
    kept: Mapping[int, int]

    def __post_init__(self) -> None:
        weights = np.array([len(group) for group in self.groups])
        # Images without objects are assigned like a class of their own: they teach what is background.
        names = (*self.classes, None)
        self.labels = np.array([[_images_with(group, name) for name in names] for group in self.groups])
        self.weights: npt.NDArray[np.int64] = weights
        self.open_images = np.array(self.sizes, dtype=np.float64)
        self.open_labels = np.outer(self.open_images / weights.sum(), self.labels.sum(axis=0))
        self.split = np.full(len(self.groups), -1)
        self.empty = {split for split, size in enumerate(self.sizes) if size}
        self.unassigned = len(self.groups)
        self.order = self.rng.permutation(len(self.groups))

    def run(self) -> list[int]:
        """The number of its split for each group."""
        for group, split in self.kept.items():
            self._assign(group, split)
        self._assign_every_class_to_the_first_split()
        while (label := self._rarest_label()) is not None:
            for group in self._unassigned_with(label):
                self._assign(group, self._neediest_split(label, self.weights[group]))
        return [int(split) for split in self.split]

    def _assign_every_class_to_the_first_split(self) -> None:
        """Before all else, or a class in two images could end in val and test, where it is not learned."""
        for label in np.argsort(self.labels[:, :-1].sum(axis=0), kind="stable"):
            groups = self._unassigned_with(label)
            learned = (self.labels[self.split == 0, label] > 0).any()
            if groups and not learned and self.open_images[0] > 0 and not self._is_closed(0):
                # The smallest group: a large one would leave less space for other classes.
                self._assign(min(groups, key=lambda group: int(self.weights[group])), 0)

    def _rarest_label(self) -> int | None:
        counts = self.labels[self.split == -1].sum(axis=0)
        present = np.flatnonzero(counts)
        return int(present[np.argmin(counts[present])]) if present.size else None

    def _unassigned_with(self, label: int) -> list[int]:
        return [int(group) for group in self.order if self.split[group] == -1 and self.labels[group, label] > 0]

    def _neediest_split(self, label: int, weight: int) -> int:
        """The split that lacks most of the label, then of images; ties are drawn by lot."""
        allowed = [i for i in range(len(self.sizes)) if self.sizes[i] and not self._is_closed(i)]
        # A group that is larger than what any split lacks goes where it overflows least.
        fitting = [i for i in allowed if self.open_images[i] >= weight] or [
            i for i in allowed if self.open_images[i] == max(self.open_images[allowed])
        ]
        lot = self.rng.permutation(len(self.sizes))
        return max(fitting, key=lambda i: (self.open_labels[i, label], self.open_images[i], lot[i]))

    def _is_closed(self, split: int) -> bool:
        """Whether `split` has images, and the empty splits need every group that is left."""
        return split not in self.empty and self.unassigned <= len(self.empty)

    def _assign(self, group: int, split: int) -> None:
        self.split[group] = split
        self.empty.discard(split)
        self.unassigned -= 1
        self.open_images[split] -= self.weights[group]
        self.open_labels[split] -= self.labels[group]


def _images_with(group: Sequence[AnnotatedImage], name: str | None) -> int:
    """How many images of a group show the class `name`; for None, how many show no object."""
    return sum(name in image.classes if name is not None else not image.classes for image in group)
