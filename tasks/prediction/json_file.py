"""Predictions as COCO JSON."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from tasks.dataset.boxes import area, to_xywh
from tasks.ground.files import write_json
from tasks.prediction.inputs import Unreadable
from tasks.prediction.writer import Output, Prediction, encodable


class _Image(TypedDict):
    id: int
    file_name: str
    drawn: str
    width: int
    height: int


class _Annotation(TypedDict):
    id: int
    image_id: int
    category_id: int
    bbox: list[float]
    score: float
    area: float
    iscrowd: int


class JsonWriter:
    """COCO JSON with a score at each annotation; boxes are in pixels of the upright picture."""

    draws = False
    encodes = False

    def __init__(self, output: Output) -> None:
        """Write detections.json when closed."""
        self._path = output.folder / "detections.json"
        self._ids = {name: number for number, name in enumerate(output.classes, start=1)}
        self._score_threshold = output.score_threshold
        self._images: list[_Image] = []
        self._annotations: list[_Annotation] = []

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        picture, detections = prediction.picture, prediction.detections
        image_id = len(self._images) + 1
        self._images.append(
            {
                "id": image_id,
                "file_name": encodable(picture.name),
                "drawn": encodable(f"{prediction.stem}.jpg"),
                "width": picture.image.width,
                "height": picture.image.height,
            }
        )
        boxes_xywh, areas = to_xywh(detections.boxes), area(detections.boxes)
        for i, name in enumerate(detections.classes):
            self._annotations.append(
                {
                    "id": len(self._annotations) + 1,
                    "image_id": image_id,
                    "category_id": self._ids[name],
                    "bbox": boxes_xywh[i].tolist(),
                    "score": float(detections.scores[i]),
                    "area": float(areas[i]),
                    "iscrowd": 0,
                }
            )

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        reasons = [f"{encodable(each.name)}: {encodable(each.reason)}" for each in unreadable]
        write_json(self._path, self.content({"unreadable": reasons}))
        return self._path.name

    def content(self, info: Mapping[str, object]) -> dict[str, object]:
        """The COCO object of what was added, with `info` about it."""
        return {
            "info": {"score_threshold": self._score_threshold, **info},
            "images": self._images,
            "annotations": self._annotations,
            "categories": [{"id": number, "name": name} for name, number in self._ids.items()],
        }
