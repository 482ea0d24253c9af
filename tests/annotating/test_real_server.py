"""The real Label Studio, drawn in through its API."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tasks.annotating.project import Project
from tasks.annotating.server import PROGRAM
from tasks.dataset.coco_json import read_coco
from tasks.ground.files import read_json
from tests.annotating.drawing import CAT, ROOT, draw, drawn_in, environment, exported, photos, served
from tests.metrics.cases import detect
from tests.small_project import wait_until


@pytest.mark.slow
def test_boxes_drawn_on_the_real_server_are_learned_from(tmp_path: Path) -> None:
    subprocess.run([ROOT / "scripts" / "annotate.sh"], check=True)
    (tmp_path / ".annotate").mkdir()
    (tmp_path / ".annotate" / "venv").symlink_to(ROOT / ".annotate" / "venv")
    assert (tmp_path / ".annotate" / PROGRAM).is_file()
    photos(tmp_path / "photos", 5)

    with served(tmp_path) as (client, printed):
        tasks = exported(client)
        assert [task["annotations"] for task in tasks] == [[]] * 5
        shown = client.get(tasks[0]["data"]["image"])
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        project = Project(client, tmp_path / "photos", ["cat", "dog"])
        project.add_draft(tasks[0]["id"], detect(((20, 30, 90, 80), "cat", 0.9)), (160, 120), "v1")
        assert (project.drafted_tasks("v1"), project.drafted_tasks("v2")) == ({tasks[0]["id"]}, set())
        for place in range(5):
            draw(client, place, CAT)
        out = tmp_path / "annotations.json"
        wait_until(lambda: out.is_file() and len(read_json(out, "an export")) == 5, 60)
        # What lies outside the folder is not shown to anybody.
        assert client.get("/data/local-files/?d=params.yaml").status_code != 200

    assert "annotations.json: 5 of 5 images are drawn" in "".join(printed)

    with served(tmp_path) as (client, printed):
        assert len(exported(client)) == 5  # no task twice
    assert "restored" not in "".join(printed)

    before = drawn_in(tmp_path / "annotations.json")
    shutil.rmtree(tmp_path / ".annotate" / "data")
    with served(tmp_path) as (client, printed):
        assert drawn_in(tmp_path / "annotations.json") == before
    assert "the boxes of 5 images are restored" in "".join(printed)
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
