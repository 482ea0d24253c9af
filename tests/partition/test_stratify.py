"""How groups are assigned to splits: properties that hold for any images."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.partition.stratify import assign_groups
from tests.stages.split.splitting import CLASSES, image


def fractions(val=0.15, test=0.2):
    return {"train": 1 - val - test, "val": val, "test": test}


def names(dataset):
    return [image.file_name for image in dataset.images]


def split(images, fractions, *, seed, kept=None):
    """A data set for each split; images of one content are a group."""
    by_content = defaultdict(list)
    for one in sorted(images, key=lambda one: one.file_name):
        by_content[one.sha256 or one.file_name].append(one)
    groups = list(by_content.values())
    numbers = {i: kept[group[0].file_name] for i, group in enumerate(groups) if group[0].file_name in (kept or {})}
    assigned = assign_groups(groups, CLASSES, fractions, seed=seed, kept=numbers)
    return {
        name: Dataset(
            Path("images"),
            CLASSES,
            tuple(
                sorted(
                    (image for group, own in zip(groups, assigned, strict=True) if own == name for image in group),
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
def test_every_image_is_in_exactly_one_split(images, seed):
    splits = split(images, fractions(), seed=seed)
    assert sorted(name for own in splits.values() for name in names(own)) == sorted(image.file_name for image in images)


@given(IMAGES.filter(enough_contents), SEEDS)
def test_files_with_the_same_content_stay_together(images, seed):
    splits = split(images, fractions(), seed=seed)
    contents = [{image.sha256 for image in own.images} for own in splits.values()]
    assert sum(len(own) for own in contents) == len(set.union(*contents))


@given(IMAGES.filter(enough_contents), SEEDS)
def test_no_split_is_empty_and_sizes_are_off_by_no_more_than_the_groups_demand(images, seed):
    splits = split(images, fractions(), seed=seed)
    contents = [image.sha256 for image in images]
    largest = max(contents.count(content) for content in contents)
    for name, fraction in fractions().items():
        assert splits[name].images
        assert abs(len(splits[name].images) - fraction * len(images)) <= 1 + 2 * (largest - 1)


@given(DISTINCT, SEEDS)
def test_sizes_are_exact_where_all_contents_differ(images, seed):
    splits = split(images, fractions(), seed=seed)
    assert len(splits["val"].images) == int(0.15 * len(images) + 0.5)
    assert len(splits["test"].images) == int(0.2 * len(images) + 0.5)


@given(DISTINCT, SEEDS)
def test_every_class_is_in_train(images, seed):
    splits = split(images, fractions(), seed=seed)
    present = {name for image in images for name in image.classes}
    assert {name for image in splits["train"].images for name in image.classes} == present


@given(IMAGES.filter(enough_contents), SEEDS, st.randoms())
def test_the_order_of_the_images_does_not_matter(images, seed, random):
    shuffled = random.sample(images, len(images))
    one, other = (split(order, fractions(), seed=seed) for order in (images, shuffled))
    assert {name: names(own) for name, own in one.items()} == {name: names(own) for name, own in other.items()}


def test_another_seed_gives_another_split():
    images = [image(i) for i in range(40)]
    one, other = (split(images, fractions(), seed=seed) for seed in (1, 2))
    assert names(one["test"]) != names(other["test"])


def test_every_class_is_spread_as_the_images_are():
    # 100 images: a in 60, b in 20, c in 20 of which 10 hold b too, none in 10. Where b and c meet is chance.
    labels = ["a"] * 60 + ["b"] * 10 + ["bc"] * 10 + ["c"] * 10 + [""] * 10
    for seed in range(10):
        splits = split([image(i, row) for i, row in enumerate(labels)], fractions(0.2, 0.2), seed=seed)
        for own in (splits["val"], splits["test"]):
            counts = own.box_counts()
            assert counts["a"] == pytest.approx(12, abs=3)
            assert (counts["b"], counts["c"]) == (4, 4)
            assert sum(not image.classes for image in own.images) == pytest.approx(2, abs=1)


def test_a_class_in_two_images_is_in_train_and_in_test():
    images = [image(i, "ab" if i in (3, 17) else "a") for i in range(20)]
    for seed in range(10):
        splits = split(images, fractions(), seed=seed)
        assert splits["train"].box_counts()["b"] == 1
        assert splits["test"].box_counts()["b"] == 1


def test_images_without_a_hash_are_not_grouped():
    bare = [AnnotatedImage(f"{i}.jpg", 10, 10, np.zeros((0, 4)), (), flags(0), flags(0)) for i in range(10)]
    splits = split(bare, fractions(), seed=1)
    assert [len(own.images) for own in splits.values()] == [6, 2, 2]


@given(DISTINCT, SEEDS, st.data())
def test_a_group_that_has_a_split_keeps_it(images, seed, data):
    kept = {
        image.file_name: own
        for image in images
        if (own := data.draw(st.sampled_from([None, "train", "val", "test"]))) is not None
    }
    splits = split(images, fractions(), seed=seed, kept=kept)
    assert {name: own for own, dataset in splits.items() for name in names(dataset) if name in kept} == kept
