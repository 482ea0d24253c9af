"""The deal itself: properties that hold for any images."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.partition.stratify import deal as deal_groups
from tests.stages.split.dealing import CLASSES, image


def fractions(val=0.15, test=0.2):
    return {"train": 1 - val - test, "val": val, "test": test}


def names(part):
    return [image.file_name for image in part.images]


def deal(images, fractions, *, seed, kept=None):
    """A data set for each part; images of one content are a group."""
    by_content = defaultdict(list)
    for one in sorted(images, key=lambda one: one.file_name):
        by_content[one.sha256 or one.file_name].append(one)
    groups = list(by_content.values())
    numbers = {i: kept[group[0].file_name] for i, group in enumerate(groups) if group[0].file_name in (kept or {})}
    dealt = deal_groups(groups, CLASSES, fractions, seed=seed, kept=numbers)
    return {
        name: Dataset(
            Path("images"),
            CLASSES,
            tuple(
                sorted(
                    (image for group, part in zip(groups, dealt, strict=True) if part == name for image in group),
                    key=lambda image: image.file_name,
                )
            ),
        )
        for name in fractions
    }


LABELS = st.sampled_from(["", "a", "aa", "b", "c", "ab", "bc", "abc"])
# Each image's classes, and which of a few contents it has: files with one content are one group.
IMAGES = st.lists(st.tuples(LABELS, st.integers(0, 20)), min_size=10, max_size=30).map(
    lambda rows: [image(i, labels, f"{content:064x}") for i, (labels, content) in enumerate(rows)]
)
DISTINCT = st.lists(LABELS, min_size=10, max_size=40).map(lambda rows: [image(i, row) for i, row in enumerate(rows)])
SEEDS = st.integers(0, 5)


def enough_contents(images):
    return len({image.sha256 for image in images}) >= 3


@given(IMAGES.filter(enough_contents), SEEDS)
def test_every_image_lands_in_exactly_one_part(images, seed):
    parts = deal(images, fractions(), seed=seed)
    assert sorted(name for part in parts.values() for name in names(part)) == sorted(
        image.file_name for image in images
    )


@given(IMAGES.filter(enough_contents), SEEDS)
def test_files_with_the_same_content_stay_together(images, seed):
    parts = deal(images, fractions(), seed=seed)
    contents = [{image.sha256 for image in part.images} for part in parts.values()]
    assert sum(len(part) for part in contents) == len(set.union(*contents))


@given(IMAGES.filter(enough_contents), SEEDS)
def test_no_part_is_empty_and_sizes_are_off_by_no_more_than_the_groups_demand(images, seed):
    parts = deal(images, fractions(), seed=seed)
    contents = [image.sha256 for image in images]
    largest = max(contents.count(content) for content in contents)
    for name, fraction in fractions().items():
        assert parts[name].images
        assert abs(len(parts[name].images) - fraction * len(images)) <= 1 + 2 * (largest - 1)


@given(DISTINCT, SEEDS)
def test_sizes_are_exact_where_all_contents_differ(images, seed):
    parts = deal(images, fractions(), seed=seed)
    assert len(parts["val"].images) == int(0.15 * len(images) + 0.5)
    assert len(parts["test"].images) == int(0.2 * len(images) + 0.5)


@given(DISTINCT, SEEDS)
def test_every_class_is_learned(images, seed):
    parts = deal(images, fractions(), seed=seed)
    present = {name for image in images for name in image.classes}
    assert {name for image in parts["train"].images for name in image.classes} == present


@given(IMAGES.filter(enough_contents), SEEDS, st.randoms())
def test_the_order_of_the_images_does_not_matter(images, seed, random):
    shuffled = random.sample(images, len(images))
    one, other = (deal(order, fractions(), seed=seed) for order in (images, shuffled))
    assert {name: names(part) for name, part in one.items()} == {name: names(part) for name, part in other.items()}


def test_another_seed_gives_another_split():
    images = [image(i) for i in range(40)]
    one, other = (deal(images, fractions(), seed=seed) for seed in (1, 2))
    assert names(one["test"]) != names(other["test"])


def test_classes_are_spread_as_the_images_are():
    # 100 images: a in 60, b in 20, c in 20 of which 10 hold b too, none in 10. Where b and c meet is chance.
    labels = ["a"] * 60 + ["b"] * 10 + ["bc"] * 10 + ["c"] * 10 + [""] * 10
    for seed in range(10):
        parts = deal([image(i, row) for i, row in enumerate(labels)], fractions(0.2, 0.2), seed=seed)
        for part in (parts["val"], parts["test"]):
            counts = part.box_counts()
            assert counts["a"] == pytest.approx(12, abs=3)
            assert (counts["b"], counts["c"]) == (4, 4)
            assert sum(not image.classes for image in part.images) == pytest.approx(2, abs=1)


def test_a_class_in_two_images_is_learned_and_tested():
    images = [image(i, "ab" if i in (3, 17) else "a") for i in range(20)]
    for seed in range(10):
        parts = deal(images, fractions(), seed=seed)
        assert parts["train"].box_counts()["b"] == 1
        assert parts["test"].box_counts()["b"] == 1


def test_images_that_were_not_hashed_are_no_group():
    bare = [AnnotatedImage(f"{i}.jpg", 10, 10, np.zeros((0, 4)), (), flags(0), flags(0)) for i in range(10)]
    parts = deal(bare, fractions(), seed=1)
    assert [len(part.images) for part in parts.values()] == [6, 2, 2]


@given(DISTINCT, SEEDS, st.data())
def test_groups_that_have_a_part_keep_it(images, seed, data):
    kept = {
        image.file_name: part
        for image in images
        if (part := data.draw(st.sampled_from([None, "train", "val", "test"]))) is not None
    }
    parts = deal(images, fractions(), seed=seed, kept=kept)
    assert {name: part for part, found in parts.items() for name in names(found) if name in kept} == kept
