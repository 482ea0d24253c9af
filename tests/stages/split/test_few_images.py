"""Stage split: of few images, and what fractions of them are."""

import pytest

from tasks.errors import DataError
from tasks.partition.stratify import deal
from tests.stages.split.dealing import CLASSES, given_to, image, run


@pytest.mark.parametrize("fractions", [{}, {"val_fraction": 0.0}, {"val_fraction": 0.49, "test_fraction": 0.02}])
@pytest.mark.parametrize("count", [1, 5, 15])
def test_of_few_images_none_is_kept_from_training_whatever_the_fractions(tmp_path, capsys, count, fractions):
    assert run(tmp_path, [image(i) for i in range(count)], **fractions) == {"train": count, "val": 0, "test": 0}
    printed = capsys.readouterr().out
    uncut = "no test part" if fractions == {"val_fraction": 0.0} else "no val and no test part"
    assert f"warning: {count} images in all: {uncut} is cut from fewer than 16. Look at" in printed
    assert "python -m studies.leave_one_out (docs/few-images.md)" in printed
    assert "note: test is empty: no figures will come of it" in printed


def test_of_one_image_more_parts_are_cut(tmp_path, capsys):
    assert run(tmp_path, [image(i) for i in range(16)]) == {"train": 11, "val": 2, "test": 3}
    assert "few-images" not in capsys.readouterr().out


def test_nothing_is_warned_of_where_few_images_are_all_learned_from_as_asked_for(tmp_path, capsys):
    run(tmp_path, [image(i, "abc") for i in range(5)], val_fraction=0.0, test_fraction=0.0)
    printed = capsys.readouterr().out
    assert "warning" not in printed
    assert "note: 5 images in all: docs/few-images.md says how to see" in printed


def test_a_split_that_few_images_came_with_is_kept_and_no_part_added(tmp_path, capsys):
    images = [*given_to("train", range(9)), *given_to("test", range(9, 12))]
    assert run(tmp_path, images) == {"train": 9, "val": 0, "test": 3}
    printed = capsys.readouterr().out
    assert "no val part is cut from fewer than 16, and figures of 3 test images say next to nothing" in printed
    assert run(tmp_path, images, author_split="ignore") == {"train": 12, "val": 0, "test": 0}


def test_images_that_were_too_few_are_dealt_anew_when_others_come(tmp_path):
    run(tmp_path, [image(i) for i in range(15)])
    assert run(tmp_path, [image(i) for i in range(18)]) == {"train": 11, "val": 3, "test": 4}


@pytest.mark.parametrize(
    ("count", "val", "test", "needed"),
    [(20, 0.15, 0.02, 25), (16, 0.02, 0.2, 25), (0, 0.15, 0.2, 1), (20, 0.49, 0.49, 51)],
    ids=["a small fraction", "a small fraction to validate", "no image", "none to train on"],
)
def test_too_few_images_for_a_fraction_say_how_many_are_needed(tmp_path, count, val, test, needed):
    with pytest.raises(DataError, match=f"at least {needed} images"):
        run(tmp_path, [image(i) for i in range(count)], val_fraction=val, test_fraction=test)
    assert not (tmp_path / "splits").exists()
    shares = {"train": 1 - val - test, "val": val, "test": test} if count else {"train": 1.0}
    assert "train" in deal([[image(i)] for i in range(needed)], CLASSES, shares, seed=1, kept={})


def test_copies_do_not_count_as_images(tmp_path):
    with pytest.raises(DataError, match="only 2 different ones"):
        run(tmp_path, [image(i, content=f"{i % 2:064x}") for i in range(20)])
