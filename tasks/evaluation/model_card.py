"""README.md of an exported model: what it is for, what it learned from, how good it is, and where it fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.artifacts.base import BaseDescription
from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import image_counts
from tasks.ground.text import markdown_text
from tasks.metrics.intervals import LEAST_IMAGES

_FIGURES = {
    "mAP": "averaged over IoU 0.50 to 0.95 and the classes",
    "AP50": "a box counts from IoU 0.50 on",
    "AP75": "a box counts from IoU 0.75 on",
    "AR100": "recall with up to 100 boxes an image",
}
_NOT_SAID = "not said; `evaluate.intended_use` in params.yaml is where to say it"
_FEW_IMAGES = 50
_SERVE = """```python
import numpy as np, tensorflow as tf
from PIL import Image

model = tf.saved_model.load("saved_model").signatures["serving_default"]
image = np.asarray(Image.open("photo.jpg").convert("RGB"))        # uint8, any size
found = model(input_tensor=tf.constant(image[None]))              # boxes: [ymin, xmin, ymax, xmax] in 0..1
keep = found["detection_scores"][0] >= {score}
print(found["detection_classes"][0][keep], found["detection_boxes"][0][keep])
```"""


@dataclass(frozen=True)
class Facts:
    """What the card is made from.

    Attributes:
        intended_use: the user's own words; None where they gave none.
        parts: the data by part.
        figures: the content of metrics/evaluate.json.
        analysis: the content of analysis.json.
        base: what the weights were that training began from.
        speed: the content of speed.json.
    """

    intended_use: str | None
    parts: Mapping[str, Dataset]
    figures: Mapping[str, Any]
    analysis: Mapping[str, Any]
    base: BaseDescription
    speed: Mapping[str, Any]


def card(facts: Facts) -> str:
    """The card as Markdown."""
    test = facts.parts["test"]
    score = facts.figures["saved_model"]["score_threshold"]
    lines = [
        f"# Detector of {_listed(test.classes)}",
        "",
        f"Finds {_listed(test.classes)} in photographs and gives a box, a class and a score for each. Files: "
        "`saved_model`, `model.tflite`, `label_map.pbtxt` (class names by number), `thresholds.json`.",
        "",
        f"**Intended use:** {markdown_text(facts.intended_use) if facts.intended_use else _NOT_SAID}.",
        "",
        _SERVE.replace("{score}", f"{score:.2f}"),
        "",
        "## Data",
        "",
        *_data(facts.parts),
        "",
        "## Figures",
        "",
        *_figures(facts, test),
        "",
        *_speed(facts.speed),
        "",
        "## Limits",
        "",
        *(f"- {line}" for line in _limits(facts, test)),
        "",
        "## Licence",
        "",
        f"Training began from: {markdown_text(facts.base.origin)}. Licence of those weights: "
        f"{markdown_text(facts.base.licence or 'not recorded')}. Whether this model may be passed on depends on "
        "the licence of the annotated photographs as well, which is not known here.",
    ]
    return "\n".join(lines) + "\n"


def _data(parts: Mapping[str, Dataset]) -> list[str]:
    rows = [
        f"| {name} | {len(part.images)} | "
        + " | ".join(str(part.box_counts()[key]) for key in parts["test"].classes)
        + " |"
        for name, part in parts.items()
    ]
    classes = parts["test"].classes
    return [
        "Images, and boxes by class, of each part.",
        "",
        "| part | images | " + " | ".join(map(markdown_text, classes)) + " |",
        "|---|---:|" + "---:|" * len(classes),
        *rows,
    ]


def _figures(facts: Facts, test: Dataset) -> list[str]:
    saved_model, tflite = facts.figures["saved_model"], facts.figures["tflite"]
    intervals = facts.analysis["intervals"]
    rows = [
        f"| {name} | {_figure(saved_model[name])} | {_ends(intervals.get(name))} | {_figure(tflite[name])} | {said} |"
        for name, said in _FIGURES.items()
    ]
    at = facts.analysis["at_threshold"]
    classes = [
        f"| {markdown_text(name)} | {_figure(saved_model['per_class'][name]['AP'])} | "
        + f"{_ends(intervals.get(f'AP of {name}'))} | "
        + " | ".join(_figure(at["per_class"][name].get(key)) for key in ("precision", "recall", "F1"))
        + " |"
        for name in test.classes
    ]
    whole = at["all"]
    told = (
        f"From a score of {whole['score']:.2f} on, {facts.analysis['score_origin']}, precision is "
        f"{_figure(whole['precision'])}, recall {_figure(whole['recall'])} and F1 {_figure(whole['F1'])}, over all "
        "boxes (IoU 0.50)."
    )
    return [
        f"Of {len(test.images)} test images that training never saw, of the exported files themselves.",
        "",
        "| figure | SavedModel | 95 % | TFLite | |",
        "|---|---:|---:|---:|---|",
        *rows,
        "",
        told,
        "",
        "| class | AP | 95 % | precision | recall | F1 |",
        "|---|---:|---:|---:|---:|---:|",
        *classes,
    ]


def _speed(speed: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {name} | {_whole(speed[name]['size_mb'], 1)} | {_whole(speed[name]['latency_ms'])} | "
        f"{_whole(speed[name]['images_per_s'], 1)} |"
        for name in ("saved_model", "tflite")
    ]
    return [
        f"| on {markdown_text(speed['machine'])} | MB | ms for an image | images/s in batches |",
        "|---|---:|---:|---:|",
        *rows,
    ]


def _whole(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _limits(facts: Facts, test: Dataset) -> list[str]:
    lines = []
    if len(test.images) < _FEW_IMAGES:
        lines.append(
            f"The figures are of {len(test.images)} images only; the 95 % column says how much that leaves open."
        )
    if facts.analysis["intervals"].get("mAP") is None:
        rarest = min(image_counts(test.images).values(), default=0)
        if rarest < LEAST_IMAGES:
            lines.append("Some class is in too few test images for an interval: its figures say next to nothing.")
        else:
            lines.append("Every half of the test images gives the same figures: no interval can be given.")
    kinds = facts.analysis["mistakes"]
    worst = max(kinds, key=lambda kind: kinds[kind]["AP50_gain"] or 0.0)
    gain = kinds[worst]["AP50_gain"]
    if gain:
        lines.append(f"Most is lost by mistakes of the kind *{worst}*: without them AP50 would be {gain:.3f} higher.")
    small = facts.figures["saved_model"].get("APsmall")
    if small is None:
        lines.append("No test image shows an object below 32² pixels: how well it finds small ones is not known.")
    else:
        lines.append(f"AP of objects below 32² pixels is {small:.3f}.")
    lines.append("Photographs unlike those it learned from (another camera, place, season) were not tested.")
    return lines


def _listed(names: Sequence[str]) -> str:
    shown = [markdown_text(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _ends(ends: Sequence[float] | None) -> str:
    return "-" if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
