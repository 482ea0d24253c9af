from pathlib import Path

import pytest

from tasks.errors import CheckpointError
from tasks.weights.tf_checkpoint import checkpoint_files, copy_checkpoint, find_checkpoint, is_checkpoint_file


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ckpt-0.index", True),
        ("ckpt-12.data-00001-of-00002", True),
        ("checkpoint", False),
        ("variables.index", True),  # of a SavedModel
        ("variables.index.bak", False),
        ("ckpt-0.index.bak", False),
        ("ckpt-0.data-1-of-2", False),
    ],
)
def test_files_of_a_checkpoint_are_recognised_by_name(name: str, expected: bool) -> None:
    assert is_checkpoint_file(name) is expected


def test_the_newest_checkpoint_is_that_with_the_highest_number(tmp_path: Path) -> None:
    for number in (2, 10, 9):
        (tmp_path / f"ckpt-{number}.index").touch()

    assert find_checkpoint(tmp_path) == tmp_path / "ckpt-10"


def test_the_best_checkpoint_is_preferred_and_an_empty_folder_has_none(tmp_path: Path) -> None:
    assert find_checkpoint(tmp_path) is None
    for folder in ("checkpoint", "best"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ckpt-1.index").touch()

    assert find_checkpoint(tmp_path) == tmp_path / "best" / "ckpt-1"


def test_a_copy_is_complete_and_has_the_new_name(tmp_path: Path) -> None:
    for name in ("index", "data-00000-of-00002", "data-00001-of-00002"):
        (tmp_path / f"ckpt-5.{name}").write_text(name)

    copies = copy_checkpoint(tmp_path / "ckpt-5", tmp_path / "to" / "ckpt-0")

    assert copies == checkpoint_files(tmp_path / "to" / "ckpt-0")
    assert [path.read_text() for path in copies] == ["index", "data-00000-of-00002", "data-00001-of-00002"]


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    for name in ("index", "data-00000-of-00002"):
        (tmp_path / f"ckpt-5.{name}").write_text(name)

    with pytest.raises(CheckpointError, match=r"ckpt-5\.data-00001-of-00002: missing"):
        checkpoint_files(tmp_path / "ckpt-5")


def test_the_only_folder_with_a_checkpoint_is_found_and_of_several_none(tmp_path: Path) -> None:
    (tmp_path / "mobile_od").mkdir()
    (tmp_path / "mobile_od" / "ckpt-301.index").touch()
    assert find_checkpoint(tmp_path) == tmp_path / "mobile_od" / "ckpt-301"

    (tmp_path / "mobile_kpts").mkdir()
    (tmp_path / "mobile_kpts" / "ckpt-301.index").touch()
    assert find_checkpoint(tmp_path) is None
