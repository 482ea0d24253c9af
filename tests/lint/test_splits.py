import pytest

from tasks.lint.splits import check_splits, listed
from tests.lint.pictures import picture

FULL = [picture(("mug", 40, 40), ("hat", 40, 40))]


def findings(classes=("mug", "hat"), **splits):
    found = check_splits(classes, {"train": FULL, "val": FULL, "test": FULL, **splits})
    return [(finding.level, finding.key, finding.value) for finding in found]


def test_splits_with_boxes_of_every_class_have_no_finding():
    assert findings() == []


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize(
    "images", [[], [picture()], [picture(("mug", 9, 9), crowd=True)]], ids=["none", "bare", "crowd"]
)
def test_a_val_or_test_split_without_boxes_gives_a_warning(split, images):
    assert findings(**{split: images}) == [("warning", f"the {split} split", "")]


@pytest.mark.parametrize(("train", "remedy"), [(15, "docs/few-images.md"), (16, "raise split.{split}_fraction")])
def test_the_remedy_for_an_empty_split_of_few_images_is_not_a_larger_fraction(train, remedy):
    found = check_splits(("mug", "hat"), {"train": FULL * train, "val": [], "test": []})
    assert [finding.key for finding in found] == ["the val split", "the test split"]
    assert all(
        remedy.format(split=split) in finding.remedy for finding, split in zip(found, ("val", "test"), strict=True)
    )


@pytest.mark.parametrize(
    "images", [[], [picture()], [picture(("mug", 9, 9), crowd=True)]], ids=["none", "bare", "crowd"]
)
def test_a_train_split_without_boxes_is_an_error(images):
    assert findings(train=images) == [("error", "the train split", "")]


def test_a_label_map_without_classes_is_an_error():
    assert findings(classes=()) == [("error", "the train split", "")]


def test_a_class_without_a_training_box_is_named_and_crowds_do_not_count():
    train = [picture(("mug", 9, 9)), picture(("hat", 9, 9), crowd=True)]
    assert findings(train=train) == [("warning", "label_map.pbtxt", "hat")]


def test_only_the_first_five_names_are_listed():
    assert listed(list("abcde")) == "a, b, c, d, e"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
