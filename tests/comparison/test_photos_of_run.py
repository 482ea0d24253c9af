"""Where the photos of a run are found again, and where they may be put."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.comparison.photos_of_run import levels_up, link_photos
from tasks.comparison.run import Run
from tasks.comparison.run_data import RunData
from tasks.dataset.dataset import Dataset
from tasks.errors import DataError
from tests.comparison.planted import image


def data_of(root: Path, photos: Path, *names: str, lock: object = None) -> RunData:
    """A run whose images lie in `photos`, and whose content is their name."""
    images = tuple(image(name, ("key", 1, 1, 9, 9)) for name in names)
    return RunData(Run("HEAD", photos, photos, {}, lock=lock or {}), {"test": Dataset(root, ("key",), images)})


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize(
    ("root", "levels"), [("photos", 0), (".", 0), ("../photos", 1), ("a/../../b", 1), ("../../x", 2), ("/photos", 0)]
)
def test_levels_above_the_project_are_counted(root: str, levels: int) -> None:
    assert levels_up(Path(root)) == levels


@pytest.mark.parametrize("root", ["photos", "../photos", "."])
def test_photos_lie_where_the_stages_look_for_them(tmp_path: Path, root: str) -> None:
    write(tmp_path / "own" / root / "a b/ü.jpg", "a b/ü.jpg")
    data = data_of(Path(root), tmp_path / "own", "a b/ü.jpg")
    project = tmp_path / "copy/above/tree"
    project.mkdir(parents=True)
    for _ in range(2):
        link_photos(data, tmp_path / "own", project, tmp_path / "copy")
        assert (project / root / "a b/ü.jpg").read_text(encoding="utf-8") == "a b/ü.jpg"


def test_an_absolute_folder_is_read_where_it_is(tmp_path: Path) -> None:
    write(tmp_path / "photos/a", "a")
    data = data_of(tmp_path / "photos", tmp_path, "a")
    link_photos(data, tmp_path, tmp_path / "copy", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    write(tmp_path / "photos/a", "changed")
    with pytest.raises(DataError, match="1 of the 1 photos of HEAD are not here as they were"):
        link_photos(data, tmp_path, tmp_path / "copy", tmp_path / "copy")


def test_a_photo_that_was_replaced_is_taken_from_the_cache(tmp_path: Path) -> None:
    def store(content: bytes, suffix: str = "") -> str:
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
        path = tmp_path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return md5

    listed = store(json.dumps([{"relpath": "in/a", "md5": store(b"in/a")}]).encode(), ".dir")
    lock = {"stages": {"ingest": {"deps": [{"path": "photos", "md5": listed}, {"path": "gone", "md5": "12.dir"}]}}}
    write(tmp_path / "photos/in/a", "replaced")
    data = data_of(Path("./photos"), tmp_path, "in/a", lock=lock)
    link_photos(data, tmp_path, tmp_path / "copy", tmp_path / "copy")
    assert (tmp_path / "copy/photos/in/a").read_text(encoding="utf-8") == "in/a"


@pytest.mark.parametrize("name", ["../../outside", "../../../tmp/x"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / "own/photos/x", "x")
    write(tmp_path / "own/photos" / name, name)
    data = data_of(Path("photos"), tmp_path / "own", name)
    with pytest.raises(DataError, match="whose name leads out of the folder of the images"):
        link_photos(data, tmp_path, tmp_path / "copy", tmp_path / "copy")


def test_an_image_never_takes_the_place_of_code(tmp_path: Path) -> None:
    write(tmp_path / "own/tasks/__main__.py", "tasks/__main__.py")
    write(tmp_path / "copy/tasks/__main__.py", "code")
    data = data_of(Path(), tmp_path / "own", "tasks/__main__.py")
    with pytest.raises(DataError, match="an image of that name would stand in place of a file of the project"):
        link_photos(data, tmp_path, tmp_path / "copy", tmp_path / "copy")
    assert (tmp_path / "copy/tasks/__main__.py").read_text(encoding="utf-8") == "code"


def test_names_that_act_on_a_terminal_are_made_harmless(tmp_path: Path) -> None:
    data = data_of(Path("photos"), tmp_path, "\x1b[2J.jpg", *(f"{i}.jpg" for i in range(4)))
    with pytest.raises(DataError, match=r"5 of the 5 photos .* \(\ufffd\[2J\.jpg, 0\.jpg, 1\.jpg, \.\.\.\)"):
        link_photos(replace(data), tmp_path, tmp_path / "copy", tmp_path / "copy")
