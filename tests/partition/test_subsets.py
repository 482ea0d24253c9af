"""Subsets of the training images: nested, of every class, with similar images together."""

from collections import Counter

import numpy as np
import pytest

from tasks.errors import DataError
from tasks.partition.subsets import chosen, nested_subsets
from tests.stages.split.splitting import CLASSES, image

PERCENTS = [25, 50, 100]
# Two of five images have b, one of ten has c.
IMAGES = [image(number, "a" + "b" * (number % 5 < 2) + "c" * (number % 10 == 0)) for number in range(120)]
ALONE = [[each] for each in IMAGES]


@pytest.mark.parametrize("seed", range(4))
def test_subsets_are_nested_of_the_sizes_asked_for_and_have_each_class_in_its_share(seed: int) -> None:
    classes = ("a", "b")
    quarter, half, whole = nested_subsets(ALONE, classes, PERCENTS, seed)
    assert quarter < half < whole
    assert [len(quarter), len(half), len(whole)] == [30, 60, 120]
    for subset in (quarter, half):
        count = Counter(name for each in IMAGES if each.file_name in subset for name in set(each.classes))
        assert count["b"] == pytest.approx(0.4 * len(subset), abs=1)


def test_another_seed_gives_other_subsets_and_the_same_one_the_same() -> None:
    first, again, other = (nested_subsets(ALONE, ("a", "b"), PERCENTS, seed) for seed in (1, 1, 2))
    assert first == again
    assert first[0] != other[0]


def test_similar_images_come_into_a_subset_together() -> None:
    groups = [IMAGES[start : start + 3] for start in range(0, len(IMAGES), 3)]
    for subset in nested_subsets(groups, ("a", "b"), PERCENTS, 1):
        for group in groups:
            assert len({each.file_name in subset for each in group}) == 1


def test_a_subset_as_a_mask_follows_the_order_of_the_images() -> None:
    np.testing.assert_array_equal(chosen(IMAGES[:3], frozenset({"002.jpg", "000.jpg"})), [True, False, True])


def test_a_class_with_too_few_images_in_the_smallest_subset_is_named() -> None:
    sentence = r"25 % of the training images are 30 images, of which 3 with 'c'; from 4 images of each class on"
    with pytest.raises(DataError, match=sentence):
        nested_subsets(ALONE, CLASSES, PERCENTS, 1)
    nested_subsets(ALONE, CLASSES, [50, 100], 1)


@pytest.mark.parametrize(
    ("groups", "percents"),
    [(ALONE[:3], PERCENTS), ([IMAGES[:100], *ALONE[100:101]], PERCENTS), (ALONE[:40], [1, 50, 100])],
    ids=["three-images", "two-groups", "a-size-of-no-image"],
)
def test_too_few_images_for_the_sizes_are_refused(groups: list, percents: list[int]) -> None:
    with pytest.raises(DataError, match="too few for the sizes"):
        nested_subsets(groups, ("a", "b"), percents, 1)
