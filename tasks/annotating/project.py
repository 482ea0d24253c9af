"""A project of Label Studio's: boxes with a class each, on the images of a folder."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import httpx

from tasks.dataset.boxes import to_xywh
from tasks.dataset.detections import Detections
from tasks.errors import DataError, PipelineError
from tasks.ground.files import write_json

BOXES, IMAGE = "boxes", "image"


class Project:
    """One project, told apart by its title: the folder's path."""

    def __init__(self, client: httpx.Client, folder: Path, classes: Sequence[str]) -> None:
        """Find the project for `folder`, or make it; its classes are `classes` from now on.

        Raises:
            PipelineError: the server refuses; the message has its reason.
        """
        self._client, path = client, str(folder.resolve())
        # Titles end at 50 letters there.
        title = path[-50:]
        settings = {"title": title, "label_config": label_config(classes), "show_collab_predictions": True}
        listed = self._get("/api/projects/", page_size=1000)["results"]
        self.number: int = next((each["id"] for each in listed if each["title"] == title), 0)
        if self.number:
            self._send("PATCH", f"/api/projects/{self.number}/", settings)
        else:
            self.number = self._send("POST", "/api/projects/", settings)["id"]
            storage = {"project": self.number, "path": path, "title": "images", "use_blob_urls": True}
            self._send("POST", "/api/storages/localfiles/", storage)

    def tasks(self) -> list[dict[str, Any]]:
        """All tasks, with their annotations."""
        found: list[dict[str, Any]] = self._export(download_all_tasks="true")
        return found

    def add(self, addresses: Iterable[str]) -> int:
        """A task for each image that has none yet; how many are new."""
        there = {task["data"].get(IMAGE) for task in self.tasks()}
        new = [{"data": {IMAGE: address}} for address in addresses if address not in there]
        if new:
            self._send("POST", f"/api/projects/{self.number}/import", new)
        return len(new)

    def annotate(self, task: int, result: Sequence[Mapping[str, Any]], *, was_cancelled: bool) -> None:
        """An annotation as if it had been drawn now."""
        content = {"result": result, "was_cancelled": was_cancelled}
        self._send("POST", f"/api/tasks/{task}/annotations/", content)

    def drafted(self, version: str) -> set[int]:
        """The tasks that have a draft by this model; an export has the drafts' numbers only."""
        drafts = self._get("/api/predictions/", task__project=self.number)
        return {draft["task"] for draft in drafts if draft["model_version"] == version}

    def predict(self, task: int, found: Detections, size: tuple[int, int], version: str) -> None:
        """Show detections, in pixels of the upright image of `size` (width, height), where boxes are to be drawn."""
        score = float(found.scores.mean()) if len(found.scores) else 0.0
        content = {"task": task, "model_version": version, "score": score, "result": regions(found, size)}
        self._send("POST", "/api/predictions/", content)

    def show_predictions(self, version: str) -> None:
        """Have the predictions of this model taken for the first draft."""
        self._send("PATCH", f"/api/projects/{self.number}/", {"model_version": version})

    def save(self, out: Path) -> int:
        """Write what has been drawn to `out`, as Label Studio's JSON export has it; how many images have been done.

        While nothing has been drawn, no file is made.
        """
        done = self._export()
        if done or out.exists():
            write_json(out, done)
        return len(done)

    def _export(self, **query: str) -> Any:
        return self._get(f"/api/projects/{self.number}/export", exportType="JSON", **query)

    def _get(self, path: str, **query: Any) -> Any:
        return _content(self._client.get(path, params=query))

    def _send(self, method: str, path: str, content: Any) -> Any:
        return _content(self._client.request(method, path, json=content))


def address_of(image: Path, folder: Path) -> str:
    """Where the server has an image of the folder.

    Raises:
        DataError: it is a link to a file that lies elsewhere.
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


def regions(found: Detections, size: tuple[int, int]) -> list[Mapping[str, Any]]:
    """Detections as rectangles in percent of the image's (width, height)."""
    width, height = size
    percent = to_xywh(found.boxes) / [width, height, width, height] * 100
    return [
        {
            "id": f"box{number}",
            "type": "rectanglelabels",
            "from_name": BOXES,
            "to_name": IMAGE,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "score": float(score),
            "value": {
                **dict(zip(("x", "y", "width", "height"), row.tolist(), strict=True)),
                "rotation": 0,
                "rectanglelabels": [name],
            },
        }
        for number, (row, name, score) in enumerate(zip(percent, found.classes, found.scores, strict=True))
    ]


def _content(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise PipelineError(
            f"Label Studio refused {answer.request.method} {answer.request.url.path}: {answer.text[:500]}"
        )
    return answer.json() if answer.content else None
