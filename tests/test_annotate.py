"""Label Studio: our side of it, and, once, its real server with boxes drawn through its API."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from lxml import etree
from PIL import Image

from tasks.__main__ import main
from tasks.annotating.project import label_config, regions
from tasks.annotating.server import PROGRAM, account_of
from tasks.errors import PipelineError
from tasks.files import read_json, write_json
from tasks.formats.coco import read_coco
from tasks.formats.label_studio import read_label_studio
from tests.metrics.cases import found
from tests.ports import free_ports
from tests.small_project import wait_until

ROOT = Path(__file__).parents[1]


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


@pytest.mark.slow
def test_boxes_drawn_on_the_real_server_are_learned_from(tmp_path: Path) -> None:
    subprocess.run([ROOT / "scripts" / "annotate.sh"], check=True)
    (tmp_path / ".annotate").mkdir()
    (tmp_path / ".annotate" / "venv").symlink_to(ROOT / ".annotate" / "venv")
    assert (tmp_path / ".annotate" / PROGRAM).is_file()
    photos(tmp_path / "photos", 5)

    with served(tmp_path) as client:
        tasks = exported(client)
        assert [task["annotations"] for task in tasks] == [[]] * 5
        shown = client.get(tasks[0]["data"]["image"])
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        for task in tasks:
            box = regions(found(((20, 30, 90, 80), "cat", 1.0)), (160, 120))
            answer = client.post(f"/api/tasks/{task['id']}/annotations/", json={"result": box})
            assert answer.status_code == 201, answer.text
        wait_until(lambda: len(read_json(tmp_path / "annotations.json", "an export")) == 5, 60)
        # What lies outside the folder is not shown to anybody.
        assert client.get("/data/local-files/?d=params.yaml").status_code != 200

    with served(tmp_path) as client:
        assert len(exported(client)) == 5  # no task twice

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


@contextmanager
def served(folder: Path) -> Iterator[httpx.Client]:
    """`python -m tasks annotate` in `folder`, and a client of its server; ended as by Ctrl-C in a terminal."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tasks", "annotate", "photos", "--classes", "cat", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while "Draw at" not in said:
                line = process.stdout.readline()
                assert line, f"it ended: {said}"
                said += line
            headers = {"Authorization": f"Token {account_of(folder / '.annotate').token}"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
                yield client
            os.killpg(process.pid, signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
            assert "of 5 images are drawn" in rest
        finally:
            process.kill()
    assert process.returncode == 0


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def exported(client: httpx.Client) -> list[dict[str, object]]:
    (project,) = client.get("/api/projects/").json()["results"]
    tasks: list[dict[str, object]] = client.get(
        f"/api/projects/{project['id']}/export", params={"exportType": "JSON", "download_all_tasks": "true"}
    ).json()
    return tasks


def photos(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (160, 120), (40 * number, 90, 120)).save(folder / f"photo {number}.jpg")
