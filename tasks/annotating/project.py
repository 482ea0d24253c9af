"""A project of Label Studio's: boxes with a class each, on the images of a folder."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import httpx
from pydantic import TypeAdapter

from tasks.annotating.export import BOXES, IMAGE, Region, Task
from tasks.dataset.boxes import to_xywh
from tasks.dataset.detections import Detections
from tasks.errors import DataError, PipelineError
from tasks.ground.files import write_json

_TASKS = TypeAdapter(list[Task])
_MAX_TITLE = 50


class Rectangle(TypedDict):
    """A box in percent of the image's width and height."""

    x: float
    y: float
    width: float
    height: float
    rotation: float
    rectanglelabels: list[str]


class DraftRegion(TypedDict):
    """A detected box, as Label Studio takes drafts."""

    id: str
    type: str
    from_name: str
    to_name: str
    original_width: int
    original_height: int
    image_rotation: int
    score: float
    value: Rectangle


class Project:
    """One project, found again by its title: the folder's path."""

    def __init__(self, client: httpx.Client, folder: Path, classes: Sequence[str]) -> None:
        """Find the project for `folder`, or make it; its classes are `classes` from now on.

        Raises:
            PipelineError: the server refuses; the message has its reason.
        """
        self._client, path = client, str(folder.resolve())
        title = path[-_MAX_TITLE:]
        settings = {"title": title, "label_config": label_config(classes), "show_collab_predictions": True}
        listed = self._get("/api/projects/", page_size=1000)["results"]
        self.number: int = next((each["id"] for each in listed if each["title"] == title), 0)
        if self.number:
            self._send("PATCH", f"/api/projects/{self.number}/", settings)
        else:
            self.number = self._send("POST", "/api/projects/", settings)["id"]
            storage = {"project": self.number, "path": path, "title": "images", "use_blob_urls": True}
            self._send("POST", "/api/storages/localfiles/", storage)

    def tasks(self) -> list[Task]:
        """All tasks, with their annotations."""
        return _TASKS.validate_python(self._export(download_all_tasks="true"))

    def add_images(self, addresses: Iterable[str]) -> int:
        """Make a task for each image that has none; how many are new."""
        known = {task.address for task in self.tasks()}
        new = [{"data": {IMAGE: address}} for address in addresses if address not in known]
        if new:
            self._send("POST", f"/api/projects/{self.number}/import", new)
        return len(new)

    def add_annotation(self, task: int, result: Sequence[Region], *, was_cancelled: bool) -> None:
        """Add an annotation as if it had been drawn now."""
        content = {"result": result, "was_cancelled": was_cancelled}
        self._send("POST", f"/api/tasks/{task}/annotations/", content)

    def drafted_tasks(self, version: str) -> set[int]:
        """The tasks that have a draft of this version; an export has the drafts' numbers only."""
        drafts = self._get("/api/predictions/", task__project=self.number)
        return {draft["task"] for draft in drafts if draft["model_version"] == version}

    def add_draft(self, task: int, detections: Detections, size: tuple[int, int], version: str) -> None:
        """Add detections, in pixels of the upright image of `size` (width, height), as a draft."""
        score = float(detections.scores.mean()) if len(detections.scores) else 0.0
        self.add_prediction(task, regions(detections, size), score, version)

    def add_prediction(self, task: int, result: Sequence[DraftRegion | Region], score: float, version: str) -> None:
        """Add regions as a draft."""
        content = {"task": task, "model_version": version, "score": score, "result": result}
        self._send("POST", "/api/predictions/", content)

    def show_drafts(self, version: str) -> None:
        """Have drafts of this version shown where nobody has drawn yet."""
        self._send("PATCH", f"/api/projects/{self.number}/", {"model_version": version})

    def save(self, out: Path) -> int:
        """Write what is drawn to `out`, as Label Studio's JSON export has it; how many images are done.

        While nothing is drawn, no file is made.
        """
        done = self._export()
        if done or out.exists():
            write_json(out, done)
        return len(done)

    def _export(self, **query: str) -> Any:
        return self._get(f"/api/projects/{self.number}/export", exportType="JSON", **query)

    def _get(self, path: str, **query: str | int) -> Any:
        return _content(self._client.get(path, params=query))

    def _send(self, method: str, path: str, content: object) -> Any:
        return _content(self._client.request(method, path, json=content))


def address_of(image: Path, folder: Path) -> str:
    """The address of an image of the folder on the server.

    Raises:
        DataError: it is a link to a file outside the folder.
    """
    target, folder = image.resolve(), folder.resolve()
    if not target.is_relative_to(folder):
        raise DataError(
            f"{image}: a link to {target}, outside of the folder, and Label Studio shows nothing from there; "
            "put a copy in its place"
        )
    return f"/data/local-files/?d={quote(target.relative_to(folder.parent).as_posix())}"


def label_config(classes: Sequence[str]) -> str:
    """Label Studio's XML for one rectangle tool with these classes."""
    labels = "".join(f"<Label value={quoteattr(name)}/>" for name in classes)
    return (
        f'<View><Image name="{IMAGE}" value="${IMAGE}" zoom="true" zoomControl="true"/>'
        f'<RectangleLabels name="{BOXES}" toName="{IMAGE}">{labels}</RectangleLabels></View>'
    )


def regions(detections: Detections, size: tuple[int, int]) -> list[DraftRegion]:
    """Detections as rectangles in percent of the image's (width, height)."""
    width, height = size
    percent = to_xywh(detections.boxes) / [width, height, width, height] * 100
    rows = zip(percent.tolist(), detections.classes, detections.scores.tolist(), strict=True)
    return [
        {
            "id": f"box{number}",
            "type": "rectanglelabels",
            "from_name": BOXES,
            "to_name": IMAGE,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "score": score,
            "value": {
                "x": x,
                "y": y,
                "width": box_width,
                "height": box_height,
                "rotation": 0,
                "rectanglelabels": [name],
            },
        }
        for number, ((x, y, box_width, box_height), name, score) in enumerate(rows)
    ]


def _content(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise PipelineError(
            f"Label Studio refused {answer.request.method} {answer.request.url.path}: {answer.text[:500]}"
        )
    return answer.json() if answer.content else None
