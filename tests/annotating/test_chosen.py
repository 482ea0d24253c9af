"""annotate --only: the photos that `suggest` chose, in their order, and what was drawn in others."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.annotating.chosen import chosen_photos
from tasks.artifacts.suggestions import Suggestion, write_suggestions
from tasks.errors import DataError
from tests.annotating.drawing import CAT, STATE, draw, drawn_in, exported, photos, served
from tests.artifacts.test_suggestions import SUGGESTIONS


def listed(path: Path, *names: str) -> Path:
    rows = [
        Suggestion(rank=rank, image=name, reason="unlike", uncertainty=0, distance=1, nearest="a.png")
        for rank, name in enumerate(names, start=1)
    ]
    write_suggestions(path, SUGGESTIONS.model_copy(update={"photos": rows}))
    return path


def address(number: int) -> str:
    return f"/data/local-files/?d=photos/photo%20{number}.jpg"


def test_only_the_chosen_photos_are_drawn_in_and_in_their_order(folder: Path) -> None:
    photos(folder / "photos", 4)
    listed(folder / "suggest.json", "photo 2.jpg", "photo 0.jpg")
    with served(folder, "--only", "suggest.json") as (client, printed):
        assert [task["data"]["image"] for task in exported(client)] == [address(2), address(0)]
        draw(client, 0, CAT)
    assert "photos: 2 images, 2 of them new" in "".join(printed)
    assert drawn_in(folder / "annotations.json") == {address(2): [CAT]}


def test_boxes_of_photos_that_were_chosen_before_are_kept(folder: Path) -> None:
    photos(folder / "photos", 3)
    listed(folder / "suggest.json", "photo 2.jpg")
    with served(folder, "--only", "suggest.json") as (client, _):
        draw(client, 0, CAT)
    shutil.rmtree(folder / ".annotate" / "data")

    listed(folder / "suggest.json", "photo 1.jpg")
    with served(folder, "--only", "suggest.json") as (client, printed):
        assert [task["data"]["image"] for task in exported(client)] == [address(1), address(2)]
        draw(client, 0, CAT)

    assert "annotations.json: the boxes of 1 images are restored" in "".join(printed)
    assert drawn_in(folder / "annotations.json") == {address(1): [CAT], address(2): [CAT]}
    assert len(json.loads((folder / STATE).read_text())["tasks"]) == 2


def test_photos_of_another_folder_are_refused_before_anything_starts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos(folder / "photos", 1)
    only = listed(folder / "suggest.json", "photo 0.jpg", "cat 7.jpg")
    assert main(["annotate", str(folder / "photos"), "--classes", "cat", "--only", str(only)]) == 1
    message = capsys.readouterr().err
    assert "suggest.json: 1 photo of its 2, such as 'cat 7.jpg', are not in " in message
    assert "name the folder that they were chosen from, photos" in message


def test_a_list_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"suggest\.json: lists no photo; run `python -m tasks suggest FOLDER` again"):
        chosen_photos({}, tmp_path, listed(tmp_path / "suggest.json"))


def test_a_choice_and_a_review_are_not_taken_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only, review = listed(folder / "suggest.json", "cat 7.jpg"), folder / "review.json"
    review.write_text("[]")
    arguments = ["annotate", str(folder / "photos"), "--classes", "cat", "--only", str(only), "--review", str(review)]
    assert main(arguments) == 1
    assert "--only and --review: each names the images to show; give one of them" in capsys.readouterr().err


def test_images_whose_name_is_no_text_are_left_out_and_said_to_be(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    photos(Path("photos"), 1)
    shutil.copy("photos/photo 0.jpg", Path("photos") / os.fsdecode(b"caf\xe9.jpg"))
    listed(Path("suggest.json"), "gone.jpg")
    assert main(["annotate", "photos", "--only", "suggest.json", "--classes", "cat"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "photos: without 1 image whose name is not UTF-8; rename them\n"
    assert "such as 'gone.jpg', are not in photos" in printed.err
