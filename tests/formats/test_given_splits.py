from pathlib import Path

import pytest

from tasks.errors import FormatError
from tasks.formats.given_splits import split_by_folder, splits_by_list


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("train/a.jpg", "train"),
        ("images/Validation/x/a.jpg", "val"),
        ("train/more/test/a.jpg", "test"),
        ("images/a.jpg", ""),
        ("test.jpg", ""),
        ("contest/a.jpg", ""),
    ],
)
def test_the_last_folder_named_after_a_split_counts(path: str, part: str) -> None:
    assert split_by_folder(Path(path)) == part


def test_the_first_path_with_such_a_folder_counts() -> None:
    assert split_by_folder(Path("images/a.jpg"), Path("valid/a.xml")) == "val"
    assert split_by_folder(Path("train/a.jpg"), Path("valid/a.xml")) == "train"


def test_voc_lists_name_images_with_or_without_labels(tmp_path: Path) -> None:
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("one\ntwo  1\n\n")
    (lists / "test.txt").write_text("three -1\ntwo\n")
    expected = {"one": "train", "two": "test", "three": "test"}
    assert splits_by_list(tmp_path) == expected
    assert splits_by_list(tmp_path / "Annotations") == expected
    assert splits_by_list(tmp_path / "no" / "where") == {}


def test_a_list_that_is_not_text_is_refused_with_its_path(tmp_path: Path) -> None:
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match=r"val\.txt: not a list of image names"):
        splits_by_list(tmp_path)
