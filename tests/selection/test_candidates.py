"""Which photos of a folder may be chosen, and why the others may not."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tasks.errors import DataError
from tasks.params import Params, read_params
from tasks.selection.candidates import Candidates, find_candidates
from tests.prediction.finding import video
from tests.selection.photos import labelled, photo

ROOT = Path(__file__).parents[2]
PARAMS: Params = read_params(ROOT / "params.yaml")


def candidates_of(folder: Path, known: Path, *names: str) -> Candidates:
    return find_candidates(folder, folder.parent / "out", labelled(known, *names), PARAMS.split, 10)


def left_out(candidates: Candidates) -> dict[str, tuple[str, str]]:
    return {each.image: (each.why, each.detail) for each in candidates.left_out}


def test_copies_and_near_duplicates_of_labelled_photos_are_left_out(tmp_path: Path) -> None:
    known = photo(tmp_path / "known" / "a.png", 1).parent
    photo(known / "b.png", 2)
    new = photo(tmp_path / "new" / "x.png", 3).parent
    shutil.copy(known / "a.png", new / "copy.png")
    (new / "deep").mkdir()
    Image.open(known / "b.png").resize((192, 128)).save(new / "deep" / "smaller.jpg", quality=70)

    candidates = candidates_of(new, known, "a.png", "b.png")

    assert (candidates.names, candidates.paths) == (["x.png"], [new / "x.png"])
    assert left_out(candidates) == {"copy.png": ("labelled", "a.png"), "deep/smaller.jpg": ("like_labelled", "b.png")}


def test_labelled_photos_in_the_folder_itself_are_left_out(tmp_path: Path) -> None:
    for name, seed in (("a.png", 1), ("b.png", 2)):
        photo(tmp_path / "all" / name, seed)
    candidates = candidates_of(tmp_path / "all", tmp_path / "all", "a.png")
    assert candidates.names == ["b.png"]
    assert left_out(candidates) == {"a.png": ("labelled", "a.png")}


def test_pairs_of_similar_candidates_are_named_by_their_places(tmp_path: Path) -> None:
    known = photo(tmp_path / "known" / "a.png", 1).parent
    new = photo(tmp_path / "new" / "one.png", 3).parent
    photo(new / "other.png", 4)
    shutil.copy(new / "one.png", new / "same.png")
    candidates = candidates_of(new, known, "a.png")
    assert candidates.names == ["one.png", "other.png", "same.png"]
    assert [sorted(pair) for pair in candidates.similar] == [[0, 2]]


def test_what_cannot_be_read_and_videos_are_left_out_and_named(tmp_path: Path) -> None:
    known = photo(tmp_path / "known" / "a.png", 1).parent
    new = photo(tmp_path / "new" / "x.png", 3).parent
    (new / "bad.jpg").write_bytes(b"no image")
    video(new / "film.mp4")
    candidates = candidates_of(new, known, "a.png")
    assert candidates.names == ["x.png"]
    reasons = left_out(candidates)
    assert reasons.pop("film.mp4") == ("video", "")
    assert reasons["bad.jpg"][0] == "unreadable"
    assert reasons["bad.jpg"][1].startswith("not an image in a known format")


def test_names_that_are_no_text_are_left_out_and_not_taken_for_each_other(tmp_path: Path) -> None:
    known = photo(tmp_path / "known" / "a.png", 1).parent
    new = photo(tmp_path / "new" / "a?.png", 2).parent
    for name, seed in ((b"a\xff.png", 3), (b"a\xfe.png", 4)):
        photo(new / os.fsdecode(name), seed)
    candidates = candidates_of(new, known, "a.png")
    assert candidates.names == ["a?.png"]
    assert [(each.why, each.detail) for each in candidates.left_out] == [
        ("unreadable", "its name is not UTF-8: rename it")
    ] * 2


def test_a_folder_of_videos_has_no_candidates(tmp_path: Path) -> None:
    known = photo(tmp_path / "known" / "a.png", 1).parent
    (tmp_path / "new").mkdir()
    video(tmp_path / "new" / "film.mp4")
    assert candidates_of(tmp_path / "new", known, "a.png").names == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    known = photo(tmp_path / "known" / "a.png", 1).parent
    with pytest.raises(DataError, match="nowhere: no such folder; name the one with the photos that have no boxes yet"):
        candidates_of(tmp_path / "nowhere", known, "a.png")
