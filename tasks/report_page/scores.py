"""How good the detector is: the figures of the exported models, class by class, and their size and speed."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.artifacts.analysis import Analysis, Interval, class_interval_name
from tasks.artifacts.evaluation import FIGURES, HEADLINES, ClassFigures, Evaluation
from tasks.artifacts.speed import ModelSpeed, Speed
from tasks.dataset.dataset import Dataset
from tasks.dataset.tallies import FEW_IMAGES
from tasks.metrics.timing_texts import timing_remark
from tasks.model.variants import in_table_order

_TFLITE_MAY_LOSE = 0.02


@dataclass(frozen=True)
class Pair:
    """A figure of the two exported models, each in 0..1 or None.

    Attributes:
        interval: the 95 % interval of the SavedModel's; None where it has none.
    """

    name: str
    saved_model: float | None
    tflite: float | None
    note: str = ""
    interval: Interval | None = None

    @property
    def difference(self) -> float | None:
        """TFLite less SavedModel."""
        return None if self.saved_model is None or self.tflite is None else self.tflite - self.saved_model


@dataclass(frozen=True)
class Scores:
    """The figures of a run.

    Attributes:
        images, boxes: of the test split, crowds left out.
        headlines: the four figures that stand first.
        further: COCO's other figures, as far as either model has them.
        has_tflite: whether the variant float32 was scored, too.
        why_not_scored: a sentence where there are no figures, else empty.
    """

    images: int
    boxes: int
    headlines: list[Pair]
    further: list[Pair]
    has_tflite: bool
    why_not_scored: str

    @property
    def tflite_differs(self) -> bool:
        """Whether mAP of the two models differs by more than the conversion explains."""
        difference = self.headlines[0].difference
        return difference is not None and abs(difference) > _TFLITE_MAY_LOSE


@dataclass(frozen=True)
class ClassRow:
    """The figures of one class: the SavedModel's with its AP's interval, and TFLite's AP."""

    name: str
    colour: str
    boxes: int
    saved_model: ClassFigures
    interval: Interval | None
    tflite: ClassFigures


@dataclass(frozen=True)
class SpeedTable:
    """Size and speed of every model, the machine that measured them, and a sentence on times that contradict."""

    machine: str
    rows: list[tuple[str, ModelSpeed]]
    remark: str


def scores(evaluation: Evaluation, analysis: Analysis, of_split: Mapping[str, Dataset]) -> Scores:
    """The figures of both exports, or why there are none."""
    test = of_split["test"]
    saved_model, tflite = evaluation.saved_model.by_name(), evaluation.tflite.by_name()
    pairs = [
        Pair(name, saved_model[name], tflite[name], HEADLINES.get(name, ""), analysis.intervals.get(name))
        for name in FIGURES
    ]
    measured = [pair for pair in pairs if pair.saved_model is not None or pair.tflite is not None]
    headlines = [pair for pair in pairs if pair.name in HEADLINES]
    boxes = sum(int((~image.iscrowd).sum()) for image in test.images)
    scored = bool(boxes) and any(pair in measured for pair in headlines)
    return Scores(
        images=len(test.images),
        boxes=boxes,
        headlines=headlines,
        further=[pair for pair in measured if pair.name not in HEADLINES],
        has_tflite=any(pair.tflite is not None for pair in pairs),
        why_not_scored="" if scored else _why_not_scored(of_split, boxes),
    )


def class_rows(evaluation: Evaluation, analysis: Analysis, test: Dataset, colours: Mapping[str, str]) -> list[ClassRow]:
    """A row for each class of the data set."""
    boxes, missing = test.box_counts(), ClassFigures()
    return [
        ClassRow(
            name,
            colours[name],
            boxes[name],
            evaluation.saved_model.per_class.get(name, missing),
            analysis.intervals.get(class_interval_name(name)),
            evaluation.tflite.per_class.get(name, missing),
        )
        for name in test.classes
    ]


def speed_table(speed: Speed | None) -> SpeedTable | None:
    """The models that were measured; None where there is none."""
    if speed is None:
        return None
    rows = [("SavedModel" if name == "saved_model" else name, model) for name, model in in_table_order(speed.models)]
    return SpeedTable(speed.machine, rows, timing_remark(speed)) if rows else None


def _why_not_scored(of_split: Mapping[str, Dataset], test_boxes: int) -> str:
    images = sum(len(split.images) for split in of_split.values())
    if test_boxes:
        why = "the evaluation recorded none. Run the evaluate stage again."
    elif of_split["test"].images:
        why = "the test images hold no boxes. Annotate more images, or split with another seed."
    elif images <= FEW_IMAGES:
        why = f"{images} images are too few to set a test split aside. See docs/few-images.md for what to do instead."
    else:
        why = "the test split holds no images. Set split.test_fraction in params.yaml above 0."
    return f"There are no figures: {why}"
