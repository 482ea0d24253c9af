"""A project of Label Studio's: boxes with a class each, on the images of a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import httpx

from tasks.annotation.boxes import to_xywh
from tasks.annotation.detections import Detections
from tasks.errors import PipelineError
from tasks.files import write_json

_BOXES, _IMAGE = "boxes", "image"


class Project:
    """One project, told apart by its title: the folder's path."""

    def __init__(self, client: httpx.Client, folder: Path, classes: Sequence[str]) -> None:
        """Find the project for `folder`, or make it; its classes are `classes` from now on.

        Raises:
            PipelineError: the server refuses; the message has its reason.
        """
        self._client, self._folder = client, folder.resolve()
        # Titles end at 50 letters there.
        title = str(self._folder)[-50:]
        settings = {"title": title, "label_config": label_config(classes), "show_collab_predictions": True}
        listed = self._get("/api/projects/", page_size=1000)["results"]
        self.number: int = next((each["id"] for each in listed if each["title"] == title), 0)
        if self.number:
            self._send("PATCH", f"/api/projects/{self.number}/", settings)
        else:
            self.number = self._send("POST", "/api/projects/", settings)["id"]
            storage = {"project": self.number, "path": str(self._folder), "title": "images", "use_blob_urls": True}
            self._send("POST", "/api/storages/localfiles/", storage)

    def tasks(self) -> list[dict[str, Any]]:
        """All tasks, with their annotations and predictions."""
        found: list[dict[str, Any]] = self._export(download_all_tasks="true")
        return found

    def add(self, images: Sequence[Path]) -> int:
        """A task for each image that has none yet; how many are new."""
        there = {task["data"].get(_IMAGE) for task in self.tasks()}
        new = [{"data": {_IMAGE: url}} for image in images if (url := self.address_of(image)) not in there]
        if new:
            self._send("POST", f"/api/projects/{self.number}/import", new)
        return len(new)

    def predict(self, task: int, found: Detections, size: tuple[int, int], version: str) -> None:
        """Show detections, in pixels of the upright image of `size` (width, height), where boxes are to be drawn."""
        score = float(found.scores.mean()) if len(found.scores) else 0.0
        content = {"task": task, "model_version": version, "score": score, "result": regions(found, size)}
        self._send("POST", "/api/predictions/", content)

    def show_predictions(self, version: str) -> None:
        """Have the predictions of this model taken for the first draft."""
        self._send("PATCH", f"/api/projects/{self.number}/", {"model_version": version})

    def save(self, out: Path) -> int:
        """Write what has been drawn to `out`, as Label Studio's JSON export has it; how many images have been done."""
        done = self._export()
        write_json(out, done)
        return len(done)

    def address_of(self, image: Path) -> str:
        """Where the server has an image of the folder."""
        return f"/data/local-files/?d={quote(image.resolve().relative_to(self._folder.parent).as_posix())}"

    def _export(self, **query: str) -> Any:
        return self._get(f"/api/projects/{self.number}/export", exportType="JSON", **query)

    def _get(self, path: str, **query: Any) -> Any:
        return _content(self._client.get(path, params=query))

    def _send(self, method: str, path: str, content: Any) -> Any:
        return _content(self._client.request(method, path, json=content))


def label_config(classes: Sequence[str]) -> str:
    """Label Studio's XML for one rectangle tool with these classes."""
    labels = "".join(f"<Label value={quoteattr(name)}/>" for name in classes)
    return (
        f'<View><Image name="{_IMAGE}" value="${_IMAGE}" zoom="true" zoomControl="true"/>'
        f'<RectangleLabels name="{_BOXES}" toName="{_IMAGE}">{labels}</RectangleLabels></View>'
    )


def regions(found: Detections, size: tuple[int, int]) -> list[Mapping[str, Any]]:
    """Detections as rectangles in percent of the image's (width, height)."""
    width, height = size
    percent = to_xywh(found.boxes) / [width, height, width, height] * 100
    return [
        {
            "id": f"box{number}",
            "type": "rectanglelabels",
            "from_name": _BOXES,
            "to_name": _IMAGE,
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
