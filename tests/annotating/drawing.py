"""Label Studio's side of `annotate`: what is drawn in it through its API, and what comes of that."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from tasks.annotating.project import regions
from tasks.annotating.server import account_of
from tasks.ground.files import read_json
from tests.metrics.cases import detect
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]
STATE = Path(".annotate") / "data" / "state.json"
PHOTO = "/data/local-files/?d=photos/photo%200.jpg"


def task(*regions: Any, image: str = PHOTO) -> dict[str, Any]:
    return {"data": {"image": image}, "annotations": [{"result": list(regions)}]}


CAT, DOG, OWL = (regions(detect(((20, 30, 90, 80), name, 1.0)), (160, 120)) for name in ("cat", "dog", "owl"))


def command(*more: str) -> list[str]:
    (port,) = free_ports(1)
    options = ["photos", "--classes", "cat", "dog", *more, "--port", str(port)]
    return [sys.executable, "-m", "tasks", "annotate", *options]


@contextmanager
def served(folder: Path, *more: str) -> Iterator[tuple[httpx.Client, list[str]]]:
    """`python -m tasks annotate` in `folder`: a client of its server, and what it prints, complete once it has ended.

    `more` are further options. It is ended as by Ctrl-C in a terminal.
    """
    arguments = command(*more)
    with subprocess.Popen(
        arguments, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            printed: list[str] = []
            while not printed or "Draw at" not in printed[-1]:
                printed.append(process.stdout.readline())
                assert printed[-1], f"it ended: {printed}"
            headers = {"Authorization": f"Token {account_of(folder / '.annotate').token}"}
            address = f"http://127.0.0.1:{arguments[arguments.index('--port') + 1]}"
            with httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
                yield client, printed
            os.killpg(process.pid, signal.SIGINT)
            printed.append(process.communicate(timeout=60)[0])
        finally:
            process.kill()
    assert process.returncode == 0


def draw(client: httpx.Client, place: int, result: Any = ()) -> None:
    """Submit an annotation of the image at this place of the export, as the browser does."""
    task = exported(client)[place]["id"]
    answer = client.post(f"/api/tasks/{task}/annotations/", json={"result": list(result)})
    assert answer.status_code == 201, answer.text


def drawn_in(path: Path) -> dict[str, list[Any]]:
    """The results of each image's annotations."""
    tasks = read_json(path, "an export")
    return {task["data"]["image"]: [each["result"] for each in task["annotations"]] for task in tasks}


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
