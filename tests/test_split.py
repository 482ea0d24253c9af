from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.annotation.boxes import as_boxes
from tasks.annotation.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import DataError
from tasks.formats.coco import read_coco, write_coco
from tasks.params import SplitParams
from tasks.split import deal, split

CLASSES = ("a", "b", "c")


def image(number, classes="a", content=""):
    n = len(classes)
    boxes = as_boxes([[0, 0, 5, 5]] * n)
    return AnnotatedImage(
        f"{number:03d}.jpg", 10, 10, boxes, tuple(classes), flags(n), flags(n), sha256=content or f"{number:064x}"
    )


def dataset(images):
    return Dataset(Path("images"), CLASSES, tuple(images))


def fractions(val=0.15, test=0.2):
    return {"train": 1 - val - test, "val": val, "test": test}


def names(part):
    return [image.file_name for image in part.images]


def run(tmp_path, images, val=0.15, test=0.2, seed=1):
    write_coco(dataset(images), tmp_path / "validated.json")
    params = SplitParams(seed=seed, val_fraction=val, test_fraction=test)
    return split(params, validated=tmp_path / "validated.json", splits=tmp_path / "splits")


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
    parts = deal(dataset(images), fractions(), seed=seed)
    assert sorted(name for part in parts.values() for name in names(part)) == names(dataset(images))


@given(IMAGES.filter(enough_contents), SEEDS)
def test_files_with_the_same_content_stay_together(images, seed):
    parts = deal(dataset(images), fractions(), seed=seed)
    contents = [{image.sha256 for image in part.images} for part in parts.values()]
    assert sum(len(part) for part in contents) == len(set.union(*contents))


@given(IMAGES.filter(enough_contents), SEEDS)
def test_no_part_is_empty_and_sizes_are_off_by_no_more_than_the_groups_demand(images, seed):
    parts = deal(dataset(images), fractions(), seed=seed)
    contents = [image.sha256 for image in images]
    largest = max(contents.count(content) for content in contents)
    for name, fraction in fractions().items():
        assert parts[name].images
        assert abs(len(parts[name].images) - fraction * len(images)) <= 1 + 2 * (largest - 1)


@given(DISTINCT, SEEDS)
def test_sizes_are_exact_where_all_contents_differ(images, seed):
    parts = deal(dataset(images), fractions(), seed=seed)
    assert len(parts["val"].images) == int(0.15 * len(images) + 0.5)
    assert len(parts["test"].images) == int(0.2 * len(images) + 0.5)


@given(DISTINCT, SEEDS)
def test_every_class_is_learned(images, seed):
    parts = deal(dataset(images), fractions(), seed=seed)
    present = {name for image in images for name in image.classes}
    assert {name for image in parts["train"].images for name in image.classes} == present


@given(IMAGES.filter(enough_contents), SEEDS, st.randoms())
def test_the_order_of_the_images_does_not_matter(images, seed, random):
    shuffled = random.sample(images, len(images))
    one, other = (deal(dataset(order), fractions(), seed=seed) for order in (images, shuffled))
    assert {name: names(part) for name, part in one.items()} == {name: names(part) for name, part in other.items()}


def test_another_seed_gives_another_split():
    images = [image(i) for i in range(40)]
    one, other = (deal(dataset(images), fractions(), seed=seed) for seed in (1, 2))
    assert names(one["test"]) != names(other["test"])


def test_classes_are_spread_as_the_images_are():
    # 100 images: a in 60, b in 20, c in 20 of which 10 hold b too, none in 10. Where b and c meet is chance.
    labels = ["a"] * 60 + ["b"] * 10 + ["bc"] * 10 + ["c"] * 10 + [""] * 10
    for seed in range(10):
        parts = deal(dataset([image(i, row) for i, row in enumerate(labels)]), fractions(0.2, 0.2), seed=seed)
        for part in (parts["val"], parts["test"]):
            counts = part.box_counts()
            assert counts["a"] == pytest.approx(12, abs=3)
            assert (counts["b"], counts["c"]) == (4, 4)
            assert sum(not image.classes for image in part.images) == pytest.approx(2, abs=1)


def test_a_class_in_two_images_is_learned_and_tested():
    images = [image(i, "ab" if i in (3, 17) else "a") for i in range(20)]
    for seed in range(10):
        parts = deal(dataset(images), fractions(), seed=seed)
        assert parts["train"].box_counts()["b"] == 1
        assert parts["test"].box_counts()["b"] == 1


def test_images_that_were_not_hashed_are_no_group():
    bare = [AnnotatedImage(f"{i}.jpg", 10, 10, np.zeros((0, 4)), (), flags(0), flags(0)) for i in range(10)]
    parts = deal(dataset(bare), fractions(), seed=1)
    assert [len(part.images) for part in parts.values()] == [6, 2, 2]


def test_three_coco_files_are_written_with_the_classes_and_root_of_the_whole(tmp_path):
    figures = run(tmp_path, [image(i, "ac") for i in range(20)])
    assert figures == {"train": 13, "val": 3, "test": 4}
    for name, count in figures.items():
        part = read_coco(tmp_path / "splits" / f"{name}.json")
        assert (part.classes, part.root, len(part.images)) == (CLASSES, Path("images"), count)
        assert part.images[0].classes == ("a", "c")


def test_a_second_run_writes_the_same_bytes(tmp_path):
    def written():
        run(tmp_path, [image(i, CLASSES[i % 3]) for i in range(30)])
        return {path.name: path.read_bytes() for path in (tmp_path / "splits").iterdir()}

    assert written() == written()


def test_a_table_shows_what_each_part_holds(tmp_path, capsys):
    run(tmp_path, [image(i, "ab") for i in range(20)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[:4] == [
        ["part", "images", "boxes", "a", "b", "c"],
        ["train", "13", "26", "13", "13", "0"],
        ["val", "3", "6", "3", "3", "0"],
        ["test", "4", "8", "4", "4", "0"],
    ]


def test_a_class_that_a_part_lacks_is_warned_of(tmp_path, capsys):
    run(tmp_path, [image(i, "abc" if i == 0 else "ab") for i in range(20)])
    printed = capsys.readouterr().out
    assert "warning: no c in val" in printed
    assert "warning: no c in test" in printed
    assert "in train" not in printed


def test_a_fraction_of_0_gives_an_empty_part_and_says_so(tmp_path, capsys):
    assert run(tmp_path, [image(i) for i in range(4)], val=0.0, test=0.0) == {"train": 4, "val": 0, "test": 0}
    assert read_coco(tmp_path / "splits" / "test.json").images == ()
    printed = capsys.readouterr().out
    assert "val is empty, as asked for" in printed
    assert "no figures will come of it" in printed


@pytest.mark.parametrize(
    ("count", "val", "test", "needed"),
    [(10, 0.15, 0.02, 25), (2, 0.15, 0.2, 4), (0, 0.15, 0.2, 4), (4, 0.49, 0.49, 51)],
    ids=["a small fraction", "two images", "no image", "none to train on"],
)
def test_too_few_images_for_a_fraction_say_how_many_are_needed(tmp_path, count, val, test, needed):
    with pytest.raises(DataError, match=f"at least {needed} images"):
        run(tmp_path, [image(i) for i in range(count)], val, test)
    assert not (tmp_path / "splits").exists()
    assert len(deal(dataset([image(i) for i in range(needed)]), fractions(val, test), seed=1)["train"].images) >= 1


def test_copies_do_not_count_as_images(tmp_path):
    with pytest.raises(DataError, match="only 2 different ones"):
        run(tmp_path, [image(i, content=f"{i % 2:064x}") for i in range(20)])
