"""Stage split: data sets of a few images, and fractions of few images."""

import pytest

from tasks.errors import DataError
from tasks.partition.stratify import assign_groups
from tests.stages.split.splitting import CLASSES, authors_images, image, run


@pytest.mark.parametrize("fractions", [{}, {"val_fraction": 0.0}, {"val_fraction": 0.49, "test_fraction": 0.02}])
@pytest.mark.parametrize("count", [1, 5, 15])
def test_few_images_are_all_in_train_whatever_the_fractions(tmp_path, capsys, count, fractions):
    assert run(tmp_path, [image(i) for i in range(count)], **fractions) == {"train": count, "val": 0, "test": 0}
    printed = capsys.readouterr().out
    missing = "no test split" if fractions == {"val_fraction": 0.0} else "no val and no test split"
    assert f"warning: only {count} images: {missing} is made of fewer than 16 images. Look at" in printed
    assert "python -m studies.leave_one_out (docs/few-images.md)" in printed
    assert "note: test is empty: there will be no test figures" in printed


def test_sixteen_images_are_split(tmp_path, capsys):
    assert run(tmp_path, [image(i) for i in range(16)]) == {"train": 11, "val": 2, "test": 3}
    assert "few-images" not in capsys.readouterr().out


def test_few_images_give_no_warning_where_train_alone_is_asked_for(tmp_path, capsys):
    run(tmp_path, [image(i, "abc") for i in range(5)], val_fraction=0.0, test_fraction=0.0)
    printed = capsys.readouterr().out
    assert "warning" not in printed
    assert "note: only 5 images: docs/few-images.md says how to see" in printed


def test_the_authors_split_of_few_images_is_kept_and_no_val_is_added(tmp_path, capsys):
    images = [*authors_images("train", range(9)), *authors_images("test", range(9, 12))]
    assert run(tmp_path, images) == {"train": 9, "val": 0, "test": 3}
    printed = capsys.readouterr().out
    assert "no val split is made of fewer than 16 images, and figures from 3 test images mean almost nothing" in printed
    assert run(tmp_path, images, author_split="ignore") == {"train": 12, "val": 0, "test": 0}


def test_few_images_are_assigned_anew_when_others_come(tmp_path):
    run(tmp_path, [image(i) for i in range(15)])
    assert run(tmp_path, [image(i) for i in range(18)]) == {"train": 11, "val": 3, "test": 4}


@pytest.mark.parametrize(
    ("count", "val", "test", "needed"),
    [(20, 0.15, 0.02, 25), (16, 0.02, 0.2, 25), (0, 0.15, 0.2, 1), (20, 0.49, 0.49, 51)],
    ids=["a small fraction", "a small fraction to validate", "no image", "none to train on"],
)
def test_the_error_for_too_few_images_says_how_many_are_needed(tmp_path, count, val, test, needed):
    with pytest.raises(DataError, match=f"at least {needed} images"):
        run(tmp_path, [image(i) for i in range(count)], val_fraction=val, test_fraction=test)
    assert not (tmp_path / "splits").exists()
    shares = {"train": 1 - val - test, "val": val, "test": test} if count else {"train": 1.0}
    assert "train" in assign_groups([[image(i)] for i in range(needed)], CLASSES, shares, seed=1, kept={})


def test_copies_do_not_count_as_images(tmp_path):
    with pytest.raises(DataError, match="only 2 of the 20 images are different"):
        run(tmp_path, [image(i, content=f"{i % 2:064x}") for i in range(20)])
