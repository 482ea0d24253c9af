"""Which split each image goes to: dealt by class, as remembered, or as the author of the data set chose."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.tallies import FEW_IMAGES
from tasks.errors import DataError
from tasks.partition.memory import SplitMemory
from tasks.partition.similar import SimilarImages
from tasks.partition.stratify import deal

if TYPE_CHECKING:
    from tasks.params import SplitParams


def split_fractions(params: "SplitParams", images: int) -> dict[str, float]:
    """The share of each part of so many images: of few, all are for training, whatever `params` ask for."""
    val, test = (0.0, 0.0) if images <= FEW_IMAGES else (params.val_fraction, params.test_fraction)
    return {"train": 1.0 - val - test, "val": val, "test": test}


def assign_splits(
    found: SimilarImages,
    classes: Sequence[str],
    params: "SplitParams",
    fractions: Mapping[str, float],
    memory: SplitMemory,
) -> dict[str, str]:
    """The part of each image, by file name."""
    if params.author_split == "ignore" or not any(image.given_split for image in found.images):
        kept = _remembered(found.groups, fractions, memory)
        dealt = deal(found.groups, classes, fractions, seed=params.seed, kept=kept)
        return _by_name(found.groups, dealt)
    assigned = _as_given(found, params.author_split)
    missing = {name: fractions[name] for name in ("val", "test") if name not in assigned.values()}
    if any(missing.values()):
        assigned |= _cut_from_train(found, assigned, classes, missing, params.seed, memory)
    return assigned


def _as_given(found: SimilarImages, mode: str) -> dict[str, str]:
    """The author's parts, and train where there is none.

    Of a group in several, test is the most protected, then val: `repair` puts all of it there, `drop` leaves out what
    is elsewhere.
    """
    given = {image.file_name: image.given_split or "train" for image in found.images}
    if mode == "keep":
        return given
    together = [
        next(name for name in ("test", "val", "train") if name in {given[image.file_name] for image in group})
        for group in found.groups
    ]
    protected = _by_name(found.groups, together)
    if mode == "repair":
        return protected
    left = {name: part for name, part in given.items() if part == protected[name]}
    if "train" in given.values() and "train" not in left.values():
        raise DataError(
            "split.author_split: drop leaves nothing to train on: every training image looks like one in val or test; "
            "lower split.near_duplicate_distance and split.frame_run_distance, or set split.author_split: ignore"
        )
    return left


def _cut_from_train(
    found: SimilarImages,
    assigned: Mapping[str, str],
    classes: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
    memory: SplitMemory,
) -> dict[str, str]:
    """New parts for the images in train: some go to the parts that the author did not make."""
    learned = [[image for image in group if assigned.get(image.file_name) == "train"] for group in found.groups]
    learned = [group for group in learned if group]
    shares = {"train": 1.0 - sum(fractions.values()), **fractions}
    kept = _remembered(learned, shares, memory)
    return _by_name(learned, deal(learned, classes, shares, seed=seed, kept=kept))


def _remembered(
    grouped: Sequence[Sequence[AnnotatedImage]], shares: Mapping[str, float], memory: SplitMemory
) -> dict[int, str]:
    """The part that groups were in, by their place; not where that part is to be empty, or is not dealt to."""
    known = {i: memory.split_of(group) for i, group in enumerate(grouped)}
    return {i: part for i, part in known.items() if part and shares.get(part)}


def _by_name(grouped: Sequence[Sequence[AnnotatedImage]], parts: Sequence[str]) -> dict[str, str]:
    return {image.file_name: part for group, part in zip(grouped, parts, strict=True) for image in group}
