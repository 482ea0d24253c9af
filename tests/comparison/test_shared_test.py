"""Which test images of two runs are shared."""

from dataclasses import replace

import numpy as np

from tasks.comparison.shared_test import shared_test
from tests.comparison.planted import Named, image, run_data

KEY = ("key", 10, 10, 50, 50)


def images(**split_of: str) -> Named:
    return {name: (image(name, KEY), split) for name, split in split_of.items()}


def test_equal_test_splits_are_shared_as_a_whole() -> None:
    data = run_data(images(a="train", b="test", c="test"))
    found = shared_test(data, data)
    assert found.is_whole
    assert found.pairs == [(0, 0), (1, 1)]


def test_an_image_that_the_other_run_trained_on_or_validated_with_is_left_out() -> None:
    before = run_data(images(a="test", b="test", c="test", d="train"), "A")
    after = run_data(images(a="test", b="train", c="val", d="test"), "B")
    found = shared_test(before, after)
    assert found.pairs == [(0, 0)]
    assert found.left_out == (
        {"in the train split of B": ["b"], "in the val split of B": ["c"]},
        {"in the train split of A": ["d"]},
    )


def test_a_renamed_image_is_shared_and_one_with_other_boxes_or_content_is_not() -> None:
    before = run_data(images(a="test", b="test", c="test", d="test"), "A")
    own = images(a="test", b="test", c="test", d="test")
    a, b, c, d = (own[name][0] for name in "abcd")
    changed = {
        "x": (replace(a, file_name="x"), "test"),
        "b": (replace(b, boxes=b.boxes + 1), "test"),
        "c": (replace(c, sha256="0" * 64), "test"),
        # No figure depends on this flag.
        "d": (replace(d, difficult=np.array([True])), "test"),
    }
    found = shared_test(before, run_data(changed, "B"))
    assert found.pairs == [(0, 0), (3, 3)]
    assert found.left_out == tuple([{"with other content or other boxes": ["b", "c"]}] * 2)


def test_a_crowd_flag_that_changed_leaves_the_image_out() -> None:
    own = images(a="test")
    crowd = {"a": (replace(own["a"][0], iscrowd=np.array([True])), "test")}
    assert shared_test(run_data(own), run_data(crowd)).pairs == []


def test_an_image_of_which_one_run_alone_trained_on_a_copy_is_left_out() -> None:
    own = images(a="test", b="test")
    copy = {**own, "copy": (replace(own["a"][0], file_name="copy"), "train")}
    reason = "with a copy in the train or val split of one run only"
    for before, after in ((own, copy), (copy, own)):
        found = shared_test(run_data(before), run_data(after))
        assert found.pairs == [(1, 1)]
        assert found.left_out == ({reason: ["a"]}, {reason: ["a"]})
    # Both have seen it: neither has an advantage, and the report of each names the leak.
    assert shared_test(run_data(copy), run_data(copy)).is_whole
