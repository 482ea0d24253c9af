"""The page's tables, from the metrics files: any figure may be missing from those, and then shows as a dash."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tasks.dataset.dataset import Dataset
from tasks.report_page.page import number

if TYPE_CHECKING:
    from tasks.params import Section

HEADLINES = {
    "mAP": "averaged over IoU 0.50 to 0.95 and the classes",
    "AP50": "a box counts from IoU 0.50 on",
    "AP75": "a box counts from IoU 0.75 on",
    "AR100": "recall with up to 100 boxes an image",
}
_FURTHER = ("APsmall", "APmedium", "APlarge", "AR1", "AR10", "ARsmall", "ARmedium", "ARlarge")


@dataclass(frozen=True)
class Pair:
    """A figure of the two exported models, each in 0..1 or None.

    Attributes:
        interval: ends of the 95 % interval of the SavedModel's; None where it has none.
    """

    name: str
    saved_model: float | None
    tflite: float | None
    note: str = ""
    interval: tuple[float, float] | None = None

    @property
    def difference(self) -> float | None:
        """TFLite less SavedModel."""
        return None if self.saved_model is None or self.tflite is None else self.tflite - self.saved_model


def headlines(metrics: Mapping[str, Any], analysis: Mapping[str, Any]) -> list[Pair]:
    """The four figures that stand first, with their intervals as far as analysis.json has them."""
    return [
        replace(_pair(metrics, name, note), interval=interval_of(analysis, name)) for name, note in HEADLINES.items()
    ]


def interval_of(analysis: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The 95 % interval of a figure; None where there is none."""
    ends = part(analysis, "intervals").get(name)
    low, high = (number(end) for end in ends) if isinstance(ends, list) and len(ends) == 2 else (None, None)
    return None if low is None or high is None else (low, high)


def further(metrics: Mapping[str, Any]) -> list[Pair]:
    """COCO's other figures, as far as either model has them."""
    pairs = [_pair(metrics, name) for name in _FURTHER]
    return [pair for pair in pairs if pair.saved_model is not None or pair.tflite is not None]


def class_rows(
    metrics: Mapping[str, Any], analysis: Mapping[str, Any], test: Dataset, colours: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A row for each class of the data set: test boxes, AP with its interval, AP50 and AR100, and TFLite's AP."""
    boxes = test.box_counts()
    saved_model, tflite = (part(part(metrics, model), "per_class") for model in ("saved_model", "tflite"))
    return [
        {
            "name": name,
            "colour": colours[name],
            "boxes": boxes[name],
            **{key: number(part(saved_model, name).get(key)) for key in ("AP", "AP50", "AR100")},
            "interval": interval_of(analysis, f"AP of {name}"),
            "tflite": number(part(tflite, name).get("AP")),
        }
        for name in test.classes
    ]


def _pair(metrics: Mapping[str, Any], name: str, note: str = "") -> Pair:
    saved_model, tflite = (number(part(metrics, model).get(name)) for model in ("saved_model", "tflite"))
    return Pair(name, saved_model, tflite, note)


def part(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What is below a key of a metrics file; nothing where that is no object."""
    own = content.get(key)
    return own if isinstance(own, Mapping) else {}


def shipped_score(metrics: Mapping[str, Any]) -> float | None:
    """The score from which the exported model's detections are worth showing."""
    return number(part(metrics, "saved_model").get("score_threshold"))


def param_rows(given: Sequence["Section"]) -> list[tuple[str, str]]:
    """`(section.key, value)` of every param, as JSON."""
    return [
        (f"{type(section).__name__.removesuffix('Params').lower()}.{key}", json.dumps(value, ensure_ascii=False))
        for section in given
        for key, value in section.model_dump(mode="json").items()
    ]


def speed(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """What speed.json says of both models, and of which machine; None where nobody measured."""
    rows = [
        {
            "name": title,
            **{key: number(part(content, name).get(key)) for key in ("size_mb", "latency_ms", "images_per_s")},
        }
        for name, title in (("saved_model", "SavedModel"), ("tflite", "TFLite"))
        if name in content
    ]
    return {"machine": str(content.get("machine") or "a machine that is not recorded"), "rows": rows} if rows else None
