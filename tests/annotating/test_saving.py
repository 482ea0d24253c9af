"""Boxes are saved, restored, and never overwritten."""

import json
import math
import re
import shutil
import subprocess
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import httpx
import pytest

from tasks.annotating.project import Project
from tasks.annotating.saved_work import read_saved_work
from tasks.annotating.saving import save_until
from tasks.errors import DataError, PipelineError
from tests.annotating.drawing import (
    CAT,
    DOG,
    OWL,
    PHOTO,
    STATE,
    command,
    draw,
    drawn_in,
    environment,
    exported,
    photos,
    served,
    task,
)
from tests.small_project import wait_until


def test_nothing_is_written_while_nothing_is_drawn(folder: Path) -> None:
    photos(folder / "photos", 2)
    with served(folder) as (client, printed):
        assert len(exported(client)) == 2
    assert "annotations.json: nothing is drawn" in "".join(printed)
    assert not (folder / "annotations.json").exists()


def test_saved_boxes_are_restored_where_label_studio_has_none(folder: Path) -> None:
    photos(folder / "photos", 3)
    with served(folder) as (client, _):
        draw(client, 0, CAT)
        draw(client, 0, DOG)
        draw(client, 1)
    before = drawn_in(folder / "annotations.json")
    shutil.rmtree(folder / ".annotate" / "data")

    with served(folder) as (client, printed):
        assert drawn_in(folder / "annotations.json") == before
        draw(client, 2, CAT)

    assert "annotations.json: the boxes of 2 images are restored" in "".join(printed)
    after = drawn_in(folder / "annotations.json")
    assert after.pop("/data/local-files/?d=photos/photo%202.jpg") == [CAT]
    assert after == before
    assert len(before["/data/local-files/?d=photos/photo%200.jpg"]) == 2
    with served(folder) as (client, printed):
        assert [len(task["annotations"]) for task in exported(client)] == [2, 1, 1]
    assert "restored" not in "".join(printed)


def test_a_box_changed_since_the_last_save_is_not_taken_back(folder: Path) -> None:
    photos(folder / "photos", 1)
    with served(folder) as (client, _):
        draw(client, 0, CAT)
    state = json.loads((folder / STATE).read_text())
    state["tasks"][0]["annotations"][0] |= {"result": DOG, "updated_at": "2026-01-01T00:00:00Z"}
    (folder / STATE).write_text(json.dumps(state))

    with served(folder):
        pass

    assert drawn_in(folder / "annotations.json") == {"/data/local-files/?d=photos/photo%200.jpg": [DOG]}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([task({"from_name": "tag"})], "drawn with other tools"),
        ([task(*OWL)], "has boxes of owl, which CLASSES does not name"),
        ([task({"x": math.nan})], "not Label Studio's JSON export"),
        ([{"image": PHOTO, "label": []}], "not Label Studio's JSON export"),
        ({"images": []}, "not Label Studio's JSON export"),
    ],
    ids=["other tools", "other classes", "not a number", "JSON-MIN", "COCO"],
)
def test_a_file_of_another_program_is_refused(content: Any, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=rf"out\.json: {complaint}.*make annotate OUT=other\.json"):
        read_saved_work(tmp_path / "out.json", ["cat", "dog"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (task(*CAT, image="/data/local-files/?d=other/a.jpg"), r"other/a\.jpg, an image that is not in the folder"),
        (task(*DOG), r"has other boxes of .*photo%200\.jpg than Label Studio has"),
    ],
    ids=["another folder's", "somebody else's"],
)
def test_a_file_with_other_boxes_is_not_overwritten(content: Any, complaint: str, folder: Path) -> None:
    photos(folder / "photos", 1)
    with served(folder) as (client, _):
        draw(client, 0, CAT)
    (folder / "annotations.json").write_text(text := json.dumps([content]))

    ended = subprocess.run(command(), cwd=folder, env=environment(), check=False, capture_output=True, text=True)

    assert ended.returncode == 1
    assert re.search(rf"annotate: annotations\.json: .*{complaint}.*make annotate OUT=other\.json", ended.stderr)
    assert (folder / "annotations.json").read_text() == text
    assert len(json.loads((folder / STATE).read_text())["tasks"][0]["annotations"]) == 1


def test_a_failed_save_is_tried_again(folder: Path) -> None:
    photos(folder / "photos", 1)
    failing = folder / ".annotate" / "data" / "failing"
    with served(folder) as (client, printed):
        failing.write_text("2")
        draw(client, 0, CAT)
        wait_until((folder / "annotations.json").exists, 30)
        draw(client, 0, DOG)
        failing.write_text("1")
    assert "".join(printed).count("annotations.json: could not be saved, and is tried again: Label Studio refused") == 3
    assert drawn_in(folder / "annotations.json") == {PHOTO: [CAT, DOG]}


def test_ten_failed_saves_end_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.annotating.saving._SAVE_EVERY_S", 0.001)
    photos(tmp_path / "photos", 1)
    with httpx.Client(base_url="http://x", transport=httpx.MockTransport(refusing_exports)) as client:
        project = Project(client, tmp_path / "photos", ["cat"])
        with pytest.raises(PipelineError, match=r"out\.json: could not be saved 10 times \(Label Studio refused"):
            save_until(SimpleQueue(), project, tmp_path / "out.json", tmp_path)


def refusing_exports(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/export"):
        return httpx.Response(500, json={"detail": "database is locked"})
    return httpx.Response(200, json={"id": 1, "results": []})
