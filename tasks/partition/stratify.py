"""Dealing groups of images out to parts so that each class is spread as the images are.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011,
algorithm 1), with four things added: a group stays together, a part never takes more images than its share, every
class is put into the first part first, and groups that have a part already keep it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import AnnotatedImage
from tasks.errors import DataError


def deal(
    groups: Sequence[Sequence[AnnotatedImage]],
    classes: Sequence[str],
    fractions: Mapping[str, float],
    *,
    seed: int,
    kept: Mapping[int, str],
) -> list[str]:
    """The part of each group.

    A part's size is its fraction of the images, rounded, as long as every group is one image; larger groups may make it
    larger or smaller.

    Args:
        groups: images that stay together; their order is part of what `seed` decides on.
        classes: all class names.
        fractions: share of each part, summing to 1; the first part takes what rounding leaves. 0 gives an empty part.
        seed: which of the equally good deals is made.
        kept: the part of groups, by their place, that have one already.

    Raises:
        DataError: too few images, or too few groups, for every part with a fraction above 0 to have one.
    """
    names = list(fractions)
    sizes = _sizes(sum(map(len, groups)), len(groups), fractions)
    fixed = {group: names.index(part) for group, part in kept.items()}
    dealt = _Deal(groups, classes, sizes, np.random.default_rng(seed), fixed).run()
    return [names[part] for part in dealt]


def _sizes(n_images: int, n_groups: int, fractions: Mapping[str, float]) -> list[int]:
    """How many images each part is to have."""
    first, *others = fractions
    sizes = {name: math.floor(fractions[name] * n_images + 0.5) for name in others}
    sizes = {first: n_images - sum(sizes.values()), **sizes}
    wanted = [name for name in fractions if fractions[name] > 0]
    empty = [name for name in wanted if sizes[name] < 1]
    if empty:
        needed = max(_enough(fractions[name], is_first=name == first) for name in empty)
        raise DataError(
            f"{n_images} images leave none for {', '.join(empty)} ({_percent(fractions)}): "
            f"bring at least {needed} images, or change split.val_fraction and split.test_fraction (0 does without)"
        )
    if n_groups < len(wanted):
        raise DataError(
            f"the {n_images} images are only {n_groups} different ones (what looks alike stays together), but "
            f"{', '.join(wanted)} need one each: bring at least {len(wanted)} that differ"
        )
    return [sizes[name] for name in fractions]


def _enough(fraction: float, *, is_first: bool) -> int:
    """So many images that a part with this fraction has one, whatever the other parts round to."""
    if fraction == 1:
        return 1
    # The margin is for 1 - 0.49 - 0.49, which is not quite 0.02.
    return math.floor(1 / fraction + 1e-6) + 1 if is_first else math.ceil(0.5 / fraction - 1e-6)


@dataclass
class _Deal:
    """One run of the algorithm: `open_*` is what each part still wants, and falls as groups are dealt."""

    groups: Sequence[Sequence[AnnotatedImage]]
    classes: Sequence[str]
    sizes: Sequence[int]
    rng: np.random.Generator
    kept: Mapping[int, int]

    def __post_init__(self) -> None:
        weights = np.array([len(group) for group in self.groups])
        # Images without objects are dealt out like a class of their own: they teach what is background.
        names = (*self.classes, None)
        self.labels = np.array([[_count(group, name) for name in names] for group in self.groups])
        self.weights: npt.NDArray[np.int64] = weights
        self.open_images = np.array(self.sizes, dtype=np.float64)
        self.open_labels = np.outer(self.open_images / weights.sum(), self.labels.sum(axis=0))
        self.part = np.full(len(self.groups), -1)
        self.empty = {part for part, size in enumerate(self.sizes) if size}
        self.left = len(self.groups)
        self.order = self.rng.permutation(len(self.groups))

    def run(self) -> list[int]:
        """The number of its part for each group."""
        for group, part in self.kept.items():
            self._give(group, part)
        self._put_every_class_into_the_first_part()
        while (label := self._rarest_label()) is not None:
            for group in self._waiting(label):
                self._give(group, self._neediest(label, self.weights[group]))
        return [int(part) for part in self.part]

    def _put_every_class_into_the_first_part(self) -> None:
        """Before the rest is dealt, or a class in two images could end in val and test, where it is not learned."""
        for label in np.argsort(self.labels[:, :-1].sum(axis=0), kind="stable"):
            waiting = self._waiting(label)
            learned = (self.labels[self.part == 0, label] > 0).any()
            if waiting and not learned and self.open_images[0] > 0 and not self._others_must_be_filled(0):
                # The smallest group: a large one would take the place of other classes.
                self._give(min(waiting, key=lambda group: int(self.weights[group])), 0)

    def _rarest_label(self) -> int | None:
        left = self.labels[self.part == -1].sum(axis=0)
        present = np.flatnonzero(left)
        return int(present[np.argmin(left[present])]) if present.size else None

    def _waiting(self, label: int) -> list[int]:
        return [int(group) for group in self.order if self.part[group] == -1 and self.labels[group, label] > 0]

    def _neediest(self, label: int, weight: int) -> int:
        """The part that lacks most of the label, then of images; ties are drawn by lot."""
        allowed = [i for i in range(len(self.sizes)) if self.sizes[i] and not self._others_must_be_filled(i)]
        # A group larger than any part's open places goes where it overflows least.
        fitting = [i for i in allowed if self.open_images[i] >= weight] or [
            i for i in allowed if self.open_images[i] == max(self.open_images[allowed])
        ]
        lot = self.rng.permutation(len(self.sizes))
        return max(fitting, key=lambda i: (self.open_labels[i, label], self.open_images[i], lot[i]))

    def _others_must_be_filled(self, part: int) -> bool:
        """Whether there are only as many groups left as parts that have none yet, and `part` is not one of these."""
        return part not in self.empty and self.left <= len(self.empty)

    def _give(self, group: int, part: int) -> None:
        self.part[group] = part
        self.empty.discard(part)
        self.left -= 1
        self.open_images[part] -= self.weights[group]
        self.open_labels[part] -= self.labels[group]


def _count(group: Sequence[AnnotatedImage], name: str | None) -> int:
    """In how many images of a group the class stands; for None, how many have no object."""
    return sum(name in image.classes if name is not None else not image.classes for image in group)


def _percent(fractions: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {fraction:.0%}" for name, fraction in fractions.items())
