"""Walking folders that people filled."""

from pathlib import Path

import pytest

from tasks.errors import DataError
from tasks.ground.walk import files_below, walk

LEFTOVERS = [
    ".ipynb_checkpoints/a-checkpoint.xml", ".idea/misc.xml", "__MACOSX/a.xml", "__MACOSX/._a.xml", "._a.xml",
    "Thumbs.db", "thumbs.DB", "desktop.ini", "@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg", "$RECYCLE.BIN/a.xml", "sub/.a.xml",
    "sub/.git/a.xml", "lost+found/a.xml", "__pycache__/a.xml",
]  # fmt: skip


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("leftover", LEFTOVERS)
def test_hidden_files_and_leftovers_are_not_found(tmp_path, leftover):
    make(tmp_path, "a.xml", "sub/b.xml", leftover)
    assert files_below(tmp_path) == [tmp_path / "a.xml", tmp_path / "sub/b.xml"]


@pytest.mark.parametrize("start", [".hidden", "__MACOSX", ".a/b"])
def test_a_walk_may_begin_in_a_hidden_folder(tmp_path, start):
    make(tmp_path / start, "a.xml", ".b/c.xml")
    assert files_below(tmp_path / start) == [tmp_path / start / "a.xml"]


def test_links_to_folders_are_named_and_not_followed(tmp_path):
    make(tmp_path / "data", "a.xml")
    make(tmp_path / "outside", "b.xml")
    (tmp_path / "data/link").symlink_to(tmp_path / "outside")
    (tmp_path / "data/loop").symlink_to(tmp_path / "data")
    assert files_below(tmp_path / "data") == [tmp_path / "data/a.xml"]
    assert [folders for _, folders, _ in walk(tmp_path / "data")] == [["link", "loop"]]


def test_broken_links_are_found_because_their_readers_report_them(tmp_path):
    (tmp_path / "a.xml").symlink_to("nowhere")
    assert files_below(tmp_path) == [tmp_path / "a.xml"]


def test_a_folder_that_is_not_to_be_entered_is_named_all_the_same(tmp_path):
    make(tmp_path, "a/x.jpg", "b/y.jpg")
    walked = list(walk(tmp_path, enters=lambda folder: folder.name != "a"))
    assert walked == [(tmp_path, ["a", "b"], []), (tmp_path / "b", [], ["y.jpg"])]


def test_a_folder_that_lies_too_deep_to_be_searched_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(21):
        Path("x" * 200).mkdir()
        monkeypatch.chdir("x" * 200)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="xxx: cannot be searched: File name too long"):
        files_below(tmp_path)


def test_below_a_folder_that_does_not_exist_is_nothing(tmp_path):
    assert files_below(tmp_path / "nowhere") == []
