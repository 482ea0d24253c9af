"""README.md of an exported model: what it is for, what it learned from, how good it is, and where it fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.artifacts.analysis import Analysis, class_interval_name
from tasks.artifacts.base import BaseDescription
from tasks.artifacts.evaluation import HEADLINES, Evaluation
from tasks.artifacts.recipe import RecipeUse
from tasks.artifacts.speed import ModelSpeed, Speed
from tasks.artifacts.variant_losses import VariantLosses
from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import image_counts
from tasks.evaluation.variant_section import variant_section
from tasks.ground.figures import figure_text, interval_text, milliseconds_text
from tasks.ground.text import counted, markdown_text
from tasks.metrics.intervals import LEAST_IMAGES
from tasks.metrics.timing_texts import timing_remark
from tasks.model.resizer import Resizer

_NOT_SAID = "not given; set `evaluate.intended_use` in params.yaml"
_FEW_IMAGES = 50
_SERVE = """```python
import numpy as np, tensorflow as tf
from PIL import Image, ImageOps

names = {names}
model = tf.saved_model.load("exported/saved_model").signatures["serving_default"]
image = np.asarray(ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB"))  # upright; uint8, any size
found = model(input_tensor=tf.constant(image[None]))
scores, classes, boxes = (found[f"detection_{{name}}"][0].numpy() for name in ("scores", "classes", "boxes"))
for i in np.flatnonzero(scores >= {score}):                          # classes count from 1
    print(names[int(classes[i]) - 1], scores[i], boxes[i])        # boxes: [ymin, xmin, ymax, xmax] in 0..1
```"""


@dataclass(frozen=True)
class Facts:
    """What the card is made from.

    Attributes:
        intended_use: the user's own words; None where they gave none.
        resizer: the size that the model scales photos to.
        of_split: the images of each split, by its name.
        evaluation: the figures of all models.
        analysis: of the SavedModel.
        base: the weights that training began from.
        speed: of all models.
        recipe: of its training.
        losses: what each variant loses, and which were left out.
    """

    intended_use: str | None
    resizer: Resizer
    of_split: Mapping[str, Dataset]
    evaluation: Evaluation
    analysis: Analysis
    base: BaseDescription
    speed: Speed
    recipe: RecipeUse
    losses: VariantLosses = field(default_factory=VariantLosses)


def card(facts: Facts) -> str:
    """The card as Markdown."""
    test = facts.of_split["test"]
    score = figure_text(facts.evaluation.saved_model.score_threshold, 2)
    exported = "".join(f", `{each.file}`" for each in facts.losses.scored)
    lines = [
        f"# Detector of {_enumeration(test.classes)}",
        "",
        f"Finds {_enumeration(test.classes)} in photographs and gives a box, a class and a score for each. "
        f"Each photo is scaled to {facts.resizer} first: what is a few pixels wide there is hardly found. Files in "
        f"`exported`: `saved_model`{exported}, `label_map.pbtxt` (class names by number), `thresholds.json`.",
        "",
        f"**Intended use:** {markdown_text(facts.intended_use) if facts.intended_use else _NOT_SAID}.",
        "",
        "The code on this card runs in this file's folder, with a photo `photo.jpg` in it. For each object found it "
        "prints name, score and box:",
        "",
        _SERVE.format(names=_in_code(test.classes), score=score),
        "",
        "## Data",
        "",
        *_data(facts.of_split),
        "",
        "## Training",
        "",
        *_training(facts.recipe),
        "",
        "## Figures",
        "",
        *_figures(facts, test),
        "",
        *_speed(facts.speed),
        "",
        *variant_section(facts.losses, facts.speed, score, len(test.classes)),
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


def _data(of_split: Mapping[str, Dataset]) -> list[str]:
    classes = of_split["test"].classes
    rows = [
        f"| {name} | {len(split.images)} | " + " | ".join(str(split.box_counts()[key]) for key in classes) + " |"
        for name, split in of_split.items()
    ]
    return [
        "Images, and boxes by class, of each split.",
        "",
        "| split | images | " + " | ".join(map(markdown_text, classes)) + " |",
        "|---|---:|" + "---:|" * len(classes),
        *rows,
    ]


def _training(recipe: RecipeUse) -> list[str]:
    lines = [f"Recipe: {markdown_text(recipe.title)}."]
    if recipe.values_text:
        lines.append(f"It gave {markdown_text(recipe.values_text)}.")
    return lines


def _figures(facts: Facts, test: Dataset) -> list[str]:
    saved_model, intervals = facts.evaluation.saved_model.by_name(), facts.analysis.intervals
    rows = [
        f"| {name} | {figure_text(saved_model[name])} | {interval_text(intervals.get(name))} | {meaning} |"
        for name, meaning in HEADLINES.items()
    ]
    point = facts.analysis.at_threshold.all
    return [
        f"Of {counted(len(test.images), 'test image')} that training never saw, of the exported SavedModel itself.",
        "",
        "| figure | SavedModel | 95 % | |",
        "|---|---:|---:|---|",
        *rows,
        "",
        f"From a score of {figure_text(point.score, 2)} on, {facts.analysis.score_origin}, precision is "
        f"{figure_text(point.precision)}, recall {figure_text(point.recall)} and F1 {figure_text(point.f1)}, over all "
        "boxes (IoU 0.50).",
        "",
        "| class | AP | 95 % | precision | recall | F1 |",
        "|---|---:|---:|---:|---:|---:|",
        *(_class_row(facts, name) for name in test.classes),
    ]


def _class_row(facts: Facts, name: str) -> str:
    ap = facts.evaluation.saved_model.per_class[name].ap
    interval = facts.analysis.intervals.get(class_interval_name(name))
    point = facts.analysis.at_threshold.per_class[name]
    return (
        f"| {markdown_text(name)} | {figure_text(ap)} | {interval_text(interval)} | {figure_text(point.precision)} | "
        f"{figure_text(point.recall)} | {figure_text(point.f1)} |"
    )


def _speed(speed: Speed) -> list[str]:
    remark = timing_remark(speed)
    return [
        f"| on {markdown_text(speed.machine)} | MB | ms for an image | images/s in batches |",
        "|---|---:|---:|---:|",
        *(_speed_row(name, model) for name, model in speed.models.items()),
        "",
        "The time for an image is the median from a photo's pixels to boxes, with scaling and with all cores.",
        *([f"Of the times here and below: {markdown_text(remark)}."] if remark else []),
    ]


def _speed_row(name: str, model: ModelSpeed) -> str:
    return (
        f"| {name} | {figure_text(model.size_mb, 1)} | {milliseconds_text(model.latency_ms)} | "
        f"{figure_text(model.images_per_s, 1)} |"
    )


def _limits(facts: Facts, test: Dataset) -> list[str]:
    lines = []
    if len(test.images) < _FEW_IMAGES:
        images = counted(len(test.images), "image")
        lines.append(f"The figures are of {images} only; the 95 % column says how much that leaves open.")
    if facts.analysis.intervals.get("mAP") is None:
        rarest = min(image_counts(test.images).values(), default=0)
        if rarest < LEAST_IMAGES:
            lines.append("Some class is in too few test images for an interval: its figures say next to nothing.")
        else:
            lines.append("Every half of the test images gives the same figures: no interval can be given.")
    kinds = facts.analysis.mistakes
    worst = max(kinds, key=lambda kind: kinds[kind].ap50_gain or 0.0)
    gain = kinds[worst].ap50_gain
    if gain:
        lines.append(f"Most is lost by mistakes of the kind *{worst}*: without them AP50 would be {gain:.3f} higher.")
    small = facts.evaluation.saved_model.ap_small
    if small is None:
        lines.append("No test image shows an object below 32² pixels: how well it finds small ones is not known.")
    else:
        lines.append(f"AP of objects below 32² pixels is {small:.3f}.")
    lines.append("Photographs unlike those it learned from (another camera, place, season) were not tested.")
    return lines


def _in_code(names: Sequence[str]) -> str:
    """A list of names in Python, with nothing in it that acts on the text around it, or reads as HTML."""
    return repr([str(name) for name in names]).replace("<", "\\x3c")


def _enumeration(names: Sequence[str]) -> str:
    shown = [markdown_text(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
