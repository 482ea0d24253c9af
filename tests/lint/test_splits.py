import pytest

from tasks.lint.splits import check_splits, named
from tests.lint.pictures import picture

FULL = [picture(("mug", 40, 40), ("hat", 40, 40))]


def told(classes=("mug", "hat"), **parts):
    found = check_splits(classes, {"train": FULL, "val": FULL, "test": FULL, **parts})
    return [(finding.level, finding.key, finding.value) for finding in found]


def test_parts_with_boxes_of_every_class_give_nothing_to_tell():
    assert told() == []


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize(
    "images", [[], [picture()], [picture(("mug", 9, 9), crowd=True)]], ids=["none", "bare", "crowd"]
)
def test_a_part_that_nothing_can_be_measured_on_is_warned_of(part, images):
    assert told(**{part: images}) == [("warning", f"the {part} part", "")]


@pytest.mark.parametrize(("train", "said"), [(15, "docs/few-images.md"), (16, "raise split.{part}_fraction")])
def test_of_few_images_no_part_is_asked_for(train, said):
    found = check_splits(("mug", "hat"), {"train": FULL * train, "val": [], "test": []})
    assert [finding.key for finding in found] == ["the val part", "the test part"]
    assert all(said.format(part=part) in finding.remedy for finding, part in zip(found, ("val", "test"), strict=True))


@pytest.mark.parametrize(
    "images", [[], [picture()], [picture(("mug", 9, 9), crowd=True)]], ids=["none", "bare", "crowd"]
)
def test_a_train_part_with_nothing_to_learn_from_is_an_error(images):
    assert told(train=images) == [("error", "the train part", "")]


def test_a_label_map_without_classes_is_an_error():
    assert told(classes=()) == [("error", "the train part", "")]


def test_classes_without_a_training_box_are_named_crowds_count_as_none():
    train = [picture(("mug", 9, 9)), picture(("hat", 9, 9), crowd=True)]
    assert told(train=train) == [("warning", "label_map.pbtxt", "hat")]


def test_only_the_first_few_names_are_told():
    assert named(list("abcde")) == "a, b, c, d, e"
    assert named(list("abcdefg")) == "a, b, c, d, e and 2 more"
