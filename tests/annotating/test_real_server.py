"""The real Label Studio, drawn in through its API."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest

from tasks.annotating.project import Project
from tasks.annotating.server import PROGRAM, Account, account_of
from tasks.dataset.coco_json import read_coco
from tasks.ground.files import read_json
from tests.annotating.drawing import CAT, ROOT, draw, drawn_in, environment, exported, photos, served
from tests.foreign_page import BROWSER, visit
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
        assert_foreign_pages_are_refused(client, account_of(tmp_path / ".annotate"), tmp_path / "profile")

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


def assert_foreign_pages_are_refused(client: httpx.Client, account: Account, profile: Path) -> None:
    """Of other sites, and of other programs on this machine, which a browser sends the cookie of who is logged in."""
    own = str(client.base_url)
    with httpx.Client(base_url=own, trust_env=False) as browser:
        login = {"email": account.email, "password": account.password}
        login["csrfmiddlewaretoken"] = re.findall(
            r'csrfmiddlewaretoken" value="(\w+)', browser.get("/user/login/").text
        )[0]
        browser.post("/user/login/", data=login, headers={"Origin": own, "Referer": own})

        def status(method: str = "GET", **headers: str) -> int:
            form = {"title": "forged"} if method == "POST" else None
            return browser.request(method, "/api/projects/", data=form, headers=headers).status_code

        assert status() == status(origin=own) == 200
        assert status("POST", origin="http://127.0.0.1:9999") == status("POST", origin="null") == 403
        assert status(host="evil.example") == status("POST", host="127.0.0.1.evil.example") == 403
    if BROWSER:
        script = """
            const projects = "%s/api/projects/";
            await ask("read", async () => (await fetch(projects)).status);
            await ask("version", async () => (await fetch("%s/api/version")).status);
            const body = new URLSearchParams({ title: "forged" });
            const request = { method: "POST", mode: "no-cors", credentials: "include", body };
            await ask("blind", async () => (await fetch(projects, request)).type);
        """
        answers = visit(script % (own, own), profile)
        assert answers["read"] == answers["version"] == "TypeError: Failed to fetch"
    assert "forged" not in {project["title"] for project in client.get("/api/projects/").json()["results"]}
