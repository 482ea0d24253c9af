"""What changed between two data sets: planted edits are found exactly, and images are told by content and name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.comparison.data_changes import data_changes
from tasks.comparison.data_markdown import markdown
from tasks.comparison.data_words import counts_text
from tasks.comparison.finding_changes import Findings
from tasks.dataset.dataset import Problem
from tests.comparison.planted import account_of, image, plant, random_images, run_data


@pytest.mark.parametrize("seed", range(4))
def test_planted_edits_of_every_kind_are_found_and_nothing_else(seed: int) -> None:
    random = np.random.default_rng(seed)
    before = random_images(random, 500)
    after, account = plant(random, before, 120)
    assert len(account) == 120
    assert len({edit[0] for edit in account}) == 10
    found = data_changes(run_data(before), run_data(after))
    assert account_of(found) == account
    for change in found.class_changes:
        gained = change.changes["added"] + change.renamed_to
        assert change.after == change.before + gained - change.changes["removed"] - change.renamed_from


def test_equal_data_have_no_changes() -> None:
    images = random_images(np.random.default_rng(1), 30)
    found = data_changes(run_data(images), run_data(dict(reversed(images.items()))))
    assert not found
    assert counts_text(found) == ""
    assert "The data are the same: 30 images with " in markdown(found, 3)


def test_a_renumbered_image_is_renamed_and_keeps_its_boxes() -> None:
    before = {f"{i}.jpg": (image(f"{i}.jpg", ("key", i, 0, 50, 50), content=f"c{i}"), "train") for i in range(4)}
    # The first is gone, and the others have moved up by one number.
    after = {f"{i}.jpg": (image(f"{i}.jpg", ("key", i + 1, 0, 50, 50), content=f"c{i + 1}"), "train") for i in range(3)}
    found = data_changes(run_data(before), run_data(after))
    assert [each.kinds for each in found.images] == [("removed",), ("renamed",), ("renamed",), ("renamed",)]
    assert counts_text(found) == "1 image removed, 3 images renamed, with the same content"


def test_copies_are_paired_one_to_one() -> None:
    before = {name: (image(name, content="same"), "train") for name in ("a.jpg", "b.jpg")}
    after = {name: (image(name, content="same"), "train") for name in ("b.jpg", "c.jpg", "d.jpg")}
    found = data_changes(run_data(before), run_data(after))
    names = [tuple(each and each.image.file_name for each in (own.before, own.after)) for own in found.images]
    assert names == [("a.jpg", "c.jpg"), (None, "d.jpg")]


def test_an_accent_in_another_unicode_form_is_no_new_name() -> None:
    before = {"a": (image("caf\u00e9.jpg", content="same"), "train")}
    after = {"a": (image("cafe\u0301.jpg", content="same"), "train")}
    assert not data_changes(run_data(before), run_data(after))


def test_images_without_a_content_hash_are_told_by_name() -> None:
    before = {name: (replace(image(name), sha256=""), "train") for name in ("a.jpg", "b.jpg")}
    after = {name: (replace(image(name), sha256=""), "train") for name in ("b.jpg", "c.jpg")}
    found = data_changes(run_data(before), run_data(after))
    assert [each.kinds for each in found.images] == [("removed",), ("added",)]


def test_a_class_without_boxes_that_one_run_alone_has_is_a_change() -> None:
    images = random_images(np.random.default_rng(1), 3)
    before, after = run_data(images), run_data(images)
    more = {split: replace(own, classes=(*own.classes, "spoon")) for split, own in after.splits.items()}
    found = data_changes(before, replace(after, splits=more))
    assert [(each.name, each.before, each.after) for each in found.class_changes] == [("spoon", 0, 0)]
    assert counts_text(found) == "1 class in one run only"


def test_a_removed_image_has_the_reason_that_the_other_run_knows() -> None:
    names = ("gone.jpg", "dropped.jpg", "similar.jpg")
    before = run_data({name: (image(name), "train") for name in names})
    problem = Problem("unreadable_image", "data/dropped.jpg", "it is damaged", "dropped_image")
    after = replace(run_data({}), findings=Findings([problem]), dropped=frozenset({"similar.jpg"}))
    reasons = {each.latest.image.file_name: each.reason for each in data_changes(before, after).images}
    assert reasons == {
        "gone.jpg": "",
        "dropped.jpg": "dropped by the gate: unreadable_image",
        "similar.jpg": "dropped by split, as it is similar to an image of another split",
    }


def test_names_from_the_data_are_escaped_in_markdown() -> None:
    name = "a|b`c\u202e.jpg"
    before = run_data({})
    after = run_data({name: (image(name, ("<b>*key*", 1, 2, 3, 4)), "train")})
    text = markdown(data_changes(before, after), 3)
    assert "`a\\|b'c\ufffd.jpg` (train, 1 box)" in text
    assert "| &lt;b>\\*key\\* | 0 | 1 | 1 |" in text


def test_a_split_that_changed_is_counted_by_where_from_and_where_to() -> None:
    before = run_data({name: (image(name), "test") for name in ("a.jpg", "b.jpg", "c.jpg")})
    after = run_data(
        {name: (image(name), split) for name, split in (("a.jpg", "train"), ("b.jpg", "train"), ("c.jpg", "val"))}
    )
    text = markdown(data_changes(before, after), 1)
    line = "- 3 moved to another split (2 test to train, 1 test to val): `a.jpg` (test to train) and 2 more"
    assert line in text
    assert before.root == Path("data")
