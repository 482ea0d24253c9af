"""Which split each image is assigned to: by class, as in earlier runs, or as the data set's author chose."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tasks.dataset.dataset import AnnotatedImage
from tasks.dataset.splits import most_protected
from tasks.dataset.tallies import FEW_IMAGES
from tasks.errors import DataError
from tasks.partition.memory import SplitMemory
from tasks.partition.similar import SimilarImages
from tasks.partition.stratify import assign_groups

if TYPE_CHECKING:
    from tasks.params import SplitParams


def split_fractions(params: "SplitParams", images: int) -> dict[str, float]:
    """The share of each split of `images` images; a few images are all for training, whatever `params` ask for."""
    val, test = (0.0, 0.0) if images <= FEW_IMAGES else (params.val_fraction, params.test_fraction)
    return {"train": 1.0 - val - test, "val": val, "test": test}


def assign_splits(
    similar: SimilarImages,
    classes: Sequence[str],
    params: "SplitParams",
    fractions: Mapping[str, float],
    memory: SplitMemory,
) -> dict[str, str]:
    """The split of each image, by file name; an image that is dropped has no entry.

    Raises:
        DataError: too few images for the fractions asked for, or none is left to train on.
    """
    if params.author_split == "ignore" or not any(image.given_split for image in similar.images):
        return _assign_by_class(similar.groups, classes, fractions, params.seed, memory)
    assigned = _assign_as_author(similar, params.author_split)
    lacking = {split: fractions[split] for split in ("val", "test") if split not in assigned.values()}
    if any(lacking.values()):
        train = [[image for image in group if assigned.get(image.file_name) == "train"] for group in similar.groups]
        shares = {"train": 1.0 - sum(lacking.values()), **lacking}
        assigned |= _assign_by_class([group for group in train if group], classes, shares, params.seed, memory)
    return assigned


def _assign_by_class(
    groups: Sequence[Sequence[AnnotatedImage]],
    classes: Sequence[str],
    shares: Mapping[str, float],
    seed: int,
    memory: SplitMemory,
) -> dict[str, str]:
    """The split of each image of `groups`; a group keeps the split of an earlier run, unless it has no share now."""
    remembered = {i: memory.split_of(group) for i, group in enumerate(groups)}
    kept = {i: split for i, split in remembered.items() if split and shares.get(split)}
    return _by_file_name(groups, assign_groups(groups, classes, shares, seed=seed, kept=kept))


def _assign_as_author(similar: SimilarImages, mode: str) -> dict[str, str]:
    """The author's splits; train for images that the author put in none.

    A group in several splits belongs to the most protected one. `repair` moves the whole group there; `drop` leaves out
    its images elsewhere.
    """
    given = {image.file_name: image.given_split or "train" for image in similar.images}
    if mode == "keep":
        return given
    repaired = _by_file_name(
        similar.groups, [most_protected({given[image.file_name] for image in group}) for group in similar.groups]
    )
    if mode == "repair":
        return repaired
    remaining = {name: split for name, split in given.items() if split == repaired[name]}
    if "train" in given.values() and "train" not in remaining.values():
        raise DataError(
            "split.author_split: drop leaves nothing to train on: every training image is similar to one in val or "
            "test; lower split.near_duplicate_distance and split.frame_run_distance, or set split.author_split: ignore"
        )
    return remaining


def _by_file_name(groups: Sequence[Sequence[AnnotatedImage]], splits: Sequence[str]) -> dict[str, str]:
    return {image.file_name: split for group, split in zip(groups, splits, strict=True) for image in group}
