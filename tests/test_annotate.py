"""Label Studio: our side of it before a stub of its program, and, once, the real server, drawn in through its API."""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from lxml import etree
from PIL import Image

from tasks.__main__ import main
from tasks.annotate import _classes, _draft, _save_until, _waiting
from tasks.annotating.earlier import read_earlier
from tasks.annotating.project import Project, address_of, label_config, regions
from tasks.annotating.server import PROGRAM, account_of, label_studio
from tasks.annotation.detections import Detections
from tasks.errors import DataError, PipelineError
from tasks.files import read_json, write_json
from tasks.formats.coco import read_coco
from tasks.formats.label_map import write_label_map
from tasks.formats.label_studio import read_label_studio
from tests.metrics.cases import found
from tests.ports import free_ports
from tests.small_project import wait_until

ROOT = Path(__file__).parents[1]
STUB = ROOT / "tests" / "label_studio_stub.py"
STATE = Path(".annotate") / "data" / "state.json"
PHOTO = "/data/local-files/?d=photos/photo%200.jpg"


def task(*regions: Any, image: str = PHOTO) -> dict[str, Any]:
    return {"data": {"image": image}, "annotations": [{"result": list(regions)}]}


CAT, DOG, OWL = (regions(found(((20, 30, 90, 80), name, 1.0)), (160, 120)) for name in ("cat", "dog", "owl"))


def test_the_tool_has_one_rectangle_for_each_class_whatever_its_name() -> None:
    view = etree.fromstring(label_config(["cat", 'a "dog" & <b>']))
    assert [label.get("value") for label in view.iter("Label")] == ["cat", 'a "dog" & <b>']


def test_a_drafted_box_is_read_back_as_it_was(tmp_path: Path) -> None:
    drafted = regions(found(((10, 20, 110, 70), "cat", 0.9), ((0, 0, 200, 100), "dog", 0.5)), (200, 100))
    task = {"data": {"image": "/data/local-files/?d=photos/a.jpg"}, "annotations": [{"result": drafted}]}
    write_json(tmp_path / "export.json", [task])

    (image,), problems = read_label_studio(tmp_path / "export.json")

    assert problems == []
    assert image.classes == ("cat", "dog")
    np.testing.assert_allclose(image.boxes, [[10, 20, 110, 70], [0, 0, 200, 100]], atol=1e-9)


def test_the_account_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = account_of(tmp_path / "room")
    assert account_of(tmp_path / "room") == first
    assert (tmp_path / "room" / "account.json").stat().st_mode & 0o077 == 0

    (tmp_path / "room" / "account.json").write_text("{}")
    with pytest.raises(PipelineError, match=r"account\.json: damaged"):
        account_of(tmp_path / "room")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["photos"], "Name the classes"),
        (["nowhere", "--classes", "cat"], "nowhere: no such folder"),
        (["empty", "--classes", "cat"], "no images found"),
        (["photos", "--classes", "cat"], "Label Studio is not installed; `make annotate IMAGES=folder` does it"),
    ],
)
def test_what_is_missing_is_said_before_anything_starts(
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos", 1)
    (tmp_path / "empty").mkdir()
    assert main(["annotate", *arguments]) == 1
    assert complaint in capsys.readouterr().err


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
    monkeypatch.setattr("tasks.annotate._SAVED_EVERY_S", 0.001)
    photos(tmp_path / "photos", 1)
    with httpx.Client(base_url="http://x", transport=httpx.MockTransport(refusing_exports)) as client:
        project = Project(client, tmp_path / "photos", ["cat"])
        with pytest.raises(PipelineError, match=r"out\.json: could not be saved 10 times \(Label Studio refused"):
            _save_until(SimpleQueue(), project, tmp_path / "out.json")


def test_an_image_that_lies_elsewhere_is_told_of(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos(room / "photos", 1)
    photos(room / "elsewhere", 1)
    (room / "photos" / "link.jpg").symlink_to(room / "elsewhere" / "photo 0.jpg")
    assert main(["annotate", str(room / "photos"), "--classes", "cat"]) == 1
    assert "link.jpg: a link to" in (said := capsys.readouterr().err)
    assert "put a copy in its place" in said


def test_the_classes_that_were_given_are_all_and_a_model_of_others_is_not_even_loaded(room: Path) -> None:
    photos(room / "photos", 1)
    exported_model(room / "models" / "exported", "circle", "square")
    with served(room) as (_, said):
        state = json.loads((room / STATE).read_text())
        view = etree.fromstring(state["projects"][0]["label_config"])
    assert [label.get("value") for label in view.iter("Label")] == ["cat", "dog"]
    assert "models/exported: knows none of these classes, so there are no first drafts" in "".join(said)


def test_a_models_classes_are_taken_where_none_are_given() -> None:
    assert _classes([], ["circle", "square"]) == ("circle", "square")
    assert _classes(["dog", "cat", "dog"], ["circle"]) == ("dog", "cat")


def test_only_classes_of_the_task_are_drafted_and_no_image_twice(room: Path) -> None:
    photos(room / "photos", 2)
    (port,) = free_ports(1)
    images = {address_of(path, room / "photos"): path for path in sorted((room / "photos").iterdir())}
    with label_studio(room / ".annotate", room, port) as client:
        project = Project(client, room / "photos", ["cat", "dog"])
        project.add(images)
        waiting = _waiting(project, images, "v1")
        assert list(waiting) == [str(path) for path in images.values()]
        _draft(project, waiting, Seeing(), 0.5, ["cat"], "v1")
        drafts = client.get("/api/predictions/").json()
        assert [[region["value"]["rectanglelabels"] for region in each["result"]] for each in drafts] == [[["cat"]]] * 2
        assert _waiting(project, images, "v1") == {}
        assert len(_waiting(project, images, "v2")) == 2


def test_a_model_that_was_named_must_be_there(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos(room / "photos", 1)
    assert main(["annotate", str(room / "photos"), "--classes", "cat", "--model", str(room / "nowhere")]) == 1
    assert "nowhere: no exported model; MODEL= is a folder with saved_model/" in capsys.readouterr().err


@pytest.mark.slow
def test_boxes_drawn_on_the_real_server_are_learned_from(tmp_path: Path) -> None:
    subprocess.run([ROOT / "scripts" / "annotate.sh"], check=True)
    (tmp_path / ".annotate").mkdir()
    (tmp_path / ".annotate" / "venv").symlink_to(ROOT / ".annotate" / "venv")
    assert (tmp_path / ".annotate" / PROGRAM).is_file()
    photos(tmp_path / "photos", 5)

    with served(tmp_path) as (client, said):
        tasks = exported(client)
        assert [task["annotations"] for task in tasks] == [[]] * 5
        shown = client.get(tasks[0]["data"]["image"])
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        project = Project(client, tmp_path / "photos", ["cat", "dog"])
        project.predict(tasks[0]["id"], found(((20, 30, 90, 80), "cat", 0.9)), (160, 120), "v1")
        assert (project.drafted("v1"), project.drafted("v2")) == ({tasks[0]["id"]}, set())
        for place in range(5):
            draw(client, place, CAT)
        out = tmp_path / "annotations.json"
        wait_until(lambda: out.is_file() and len(read_json(out, "an export")) == 5, 60)
        # What lies outside the folder is not shown to anybody.
        assert client.get("/data/local-files/?d=params.yaml").status_code != 200

    assert "annotations.json: 5 of 5 images are drawn" in "".join(said)

    with served(tmp_path) as (client, said):
        assert len(exported(client)) == 5  # no task twice
    assert "drawn before" not in "".join(said)

    before = drawn_in(tmp_path / "annotations.json")
    shutil.rmtree(tmp_path / ".annotate" / "data")
    with served(tmp_path) as (client, said):
        assert drawn_in(tmp_path / "annotations.json") == before
    assert "5 images that were drawn before are gone on with" in "".join(said)
    assert drawn_in(tmp_path / "annotations.json") == before

    (tmp_path / "params.yaml").write_text(
        (ROOT / "params.yaml")
        .read_text()
        .replace("source: data/sample ", "source: annotations.json ")
        .replace("images: data/sample ", "images: photos ")
    )
    subprocess.run([sys.executable, "-m", "tasks", "ingest"], cwd=tmp_path, env=environment(), check=True)
    dataset = read_coco(tmp_path / "data/ingested/annotations.json")
    assert [len(image.classes) for image in dataset.images] == [1] * 5
    np.testing.assert_allclose(dataset.images[0].boxes, [[20, 30, 90, 80]], atol=0.01)


class Seeing:
    """Stands where a trained model stands: a cat, a circle, and a doubtful cat in every image."""

    classes = ("cat", "circle")

    def detect(self, images: Sequence[npt.NDArray[np.uint8]]) -> list[Detections]:
        box = (20, 30, 90, 80)
        return [found((box, "cat", 0.9), (box, "circle", 0.8), (box, "cat", 0.2)) for _ in images]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A folder in which the stub stands for Label Studio's program."""
    program = tmp_path / ".annotate" / PROGRAM
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STUB}" "$@"\n')
    program.chmod(0o755)
    return tmp_path


def command(*more: str) -> list[str]:
    (port,) = free_ports(1)
    given = ["photos", "--classes", "cat", "dog", "--port", str(port), *more]
    return [sys.executable, "-m", "tasks", "annotate", *given]


@contextmanager
def served(folder: Path) -> Iterator[tuple[httpx.Client, list[str]]]:
    """`python -m tasks annotate` in `folder`: a client of its server, and what it says, all of it once it has ended.

    It is ended as by Ctrl-C in a terminal.
    """
    arguments = command()
    with subprocess.Popen(
        arguments, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            said: list[str] = []
            while not said or "Draw at" not in said[-1]:
                said.append(process.stdout.readline())
                assert said[-1], f"it ended: {said}"
            headers = {"Authorization": f"Token {account_of(folder / '.annotate').token}"}
            address = f"http://127.0.0.1:{arguments[-1]}"
            with httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
                yield client, said
            os.killpg(process.pid, signal.SIGINT)
            said.append(process.communicate(timeout=60)[0])
        finally:
            process.kill()
    assert process.returncode == 0


def draw(client: httpx.Client, place: int, result: Any = ()) -> None:
    """Submit an annotation of the image at this place, as the browser does."""
    task = exported(client)[place]["id"]
    answer = client.post(f"/api/tasks/{task}/annotations/", json={"result": list(result)})
    assert answer.status_code == 201, answer.text


def drawn_in(path: Path) -> dict[str, list[Any]]:
    """The results of each image's annotations."""
    tasks = read_json(path, "an export")
    return {task["data"]["image"]: [each["result"] for each in task["annotations"]] for task in tasks}


def exported_model(folder: Path, *classes: str) -> None:
    """What looks like one, and cannot be loaded."""
    (folder / "saved_model").mkdir(parents=True)
    write_label_map(classes, folder / "label_map.pbtxt")


def refusing_exports(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/export"):
        return httpx.Response(500, json={"detail": "database is locked"})
    return httpx.Response(200, json={"id": 1, "results": []})


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def exported(client: httpx.Client) -> list[dict[str, Any]]:
    (project,) = client.get("/api/projects/").json()["results"]
    tasks: list[dict[str, Any]] = client.get(
        f"/api/projects/{project['id']}/export", params={"exportType": "JSON", "download_all_tasks": "true"}
    ).json()
    return tasks


def photos(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (160, 120), (40 * number, 90, 120)).save(folder / f"photo {number}.jpg")
