"""What was drawn is saved, gone on with, and never written over."""

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

from tasks.annotating.earlier import read_earlier
from tasks.annotating.project import Project
from tasks.commands.annotate import _save_until
from tasks.errors import DataError, PipelineError
from tests.commands.annotate.drawing import (
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


def test_nothing_is_written_while_nothing_is_drawn(room: Path) -> None:
    photos(room / "photos", 2)
    with served(room) as (client, said):
        assert len(exported(client)) == 2
    assert "annotations.json: nothing is drawn" in "".join(said)
    assert not (room / "annotations.json").exists()


def test_work_is_gone_on_with_where_label_studio_knows_nothing_of_it(room: Path) -> None:
    photos(room / "photos", 3)
    with served(room) as (client, _):
        draw(client, 0, CAT)
        draw(client, 0, DOG)
        draw(client, 1)
    before = drawn_in(room / "annotations.json")
    shutil.rmtree(room / ".annotate" / "data")

    with served(room) as (client, said):
        assert drawn_in(room / "annotations.json") == before
        draw(client, 2, CAT)

    assert "annotations.json: 2 images that were drawn before are gone on with" in "".join(said)
    after = drawn_in(room / "annotations.json")
    assert after.pop("/data/local-files/?d=photos/photo%202.jpg") == [CAT]
    assert after == before
    assert len(before["/data/local-files/?d=photos/photo%200.jpg"]) == 2
    with served(room) as (client, said):
        assert [len(task["annotations"]) for task in exported(client)] == [2, 1, 1]
    assert "drawn before" not in "".join(said)


def test_what_has_become_of_a_box_since_the_last_save_is_not_taken_back(room: Path) -> None:
    photos(room / "photos", 1)
    with served(room) as (client, _):
        draw(client, 0, CAT)
    state = json.loads((room / STATE).read_text())
    state["tasks"][0]["annotations"][0] |= {"result": DOG, "updated_at": "2026-01-01T00:00:00Z"}
    (room / STATE).write_text(json.dumps(state))

    with served(room):
        pass

    assert drawn_in(room / "annotations.json") == {"/data/local-files/?d=photos/photo%200.jpg": [DOG]}


@pytest.mark.parametrize(
    ("earlier", "complaint"),
    [
        ([task({"from_name": "tag"})], "drawn with other tools"),
        ([task(*OWL)], "has boxes of owl, which CLASSES does not name"),
        ([task({"x": math.nan})], "not Label Studio's JSON export"),
        ([{"image": PHOTO, "label": []}], "not Label Studio's JSON export"),
        ({"images": []}, "not Label Studio's JSON export"),
    ],
    ids=["other tools", "other classes", "not a number", "JSON-MIN", "COCO"],
)
def test_a_file_that_another_program_wrote_is_refused(earlier: Any, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text(json.dumps(earlier))
    with pytest.raises(DataError, match=rf"out\.json: {complaint}.*make annotate OUT=other\.json"):
        read_earlier(tmp_path / "out.json", ["cat", "dog"])


@pytest.mark.parametrize(
    ("earlier", "complaint"),
    [
        (task(*CAT, image="/data/local-files/?d=other/a.jpg"), r"other/a\.jpg, an image that is not in the folder"),
        (task(*DOG), r"has other boxes of .*photo%200\.jpg than Label Studio has"),
    ],
    ids=["another folder's", "somebody else's"],
)
def test_work_that_would_be_written_over_is_left_as_it_is(earlier: Any, complaint: str, room: Path) -> None:
    photos(room / "photos", 1)
    with served(room) as (client, _):
        draw(client, 0, CAT)
    (room / "annotations.json").write_text(text := json.dumps([earlier]))

    ended = subprocess.run(command(), cwd=room, env=environment(), check=False, capture_output=True, text=True)

    assert ended.returncode == 1
    assert re.search(rf"annotate: annotations\.json: .*{complaint}.*make annotate OUT=other\.json", ended.stderr)
    assert (room / "annotations.json").read_text() == text
    assert len(json.loads((room / STATE).read_text())["tasks"][0]["annotations"]) == 1


def test_a_save_that_fails_is_tried_again_and_so_is_the_last_one(room: Path) -> None:
    photos(room / "photos", 1)
    failing = room / ".annotate" / "data" / "failing"
    with served(room) as (client, said):
        failing.write_text("2")
        draw(client, 0, CAT)
        wait_until((room / "annotations.json").exists, 30)
        draw(client, 0, DOG)
        failing.write_text("1")
    assert "".join(said).count("annotations.json: could not be saved, and is tried again: Label Studio refused") == 3
    assert drawn_in(room / "annotations.json") == {PHOTO: [CAT, DOG]}


def test_saves_that_always_fail_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.commands.annotate._SAVED_EVERY_S", 0.001)
    photos(tmp_path / "photos", 1)
    with httpx.Client(base_url="http://x", transport=httpx.MockTransport(refusing_exports)) as client:
        project = Project(client, tmp_path / "photos", ["cat"])
        with pytest.raises(PipelineError, match=r"out\.json: could not be saved 10 times \(Label Studio refused"):
            _save_until(SimpleQueue(), project, tmp_path / "out.json")


def refusing_exports(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/export"):
        return httpx.Response(500, json={"detail": "database is locked"})
    return httpx.Response(200, json={"id": 1, "results": []})
