"""analysis.json, beside the detections: how sure the SavedModel's figures are, and which mistakes it makes.

A file of an older version may lack any key.
"""

from pathlib import Path
from typing import NamedTuple, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact

_NAME = "analysis.json"
_MAX_LISTED = 20


class Interval(NamedTuple):
    """Where a figure lies for all images of the kind that the test images are, with a probability of 95 %."""

    low: float
    high: float


class OperatingPoint(Artifact):
    """Precision, recall, F1 and the counts behind them at IoU 0.5, of detections from `score` on.

    `true` and `false` count detections, `missed` counts boxes. Without a score the point is an empty object.
    """

    score: float | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = Field(None, alias="F1")
    true: int | None = None
    false: int | None = None
    missed: int | None = None

    @model_serializer(mode="wrap")
    def _serialise(self, serialise: SerializerFunctionWrapHandler) -> dict[str, object]:
        content: dict[str, object] = serialise(self)
        return {} if self.score is None else content


class OperatingPoints(Artifact):
    """The point of all classes together, and that of each class by its name."""

    all: OperatingPoint = OperatingPoint()
    per_class: dict[str, OperatingPoint] = Field(default_factory=dict)


class ApAtIou(Artifact):
    """The mean over classes of the average precision at one IoU."""

    iou: float | None = Field(None, alias="IoU")
    ap: float | None = Field(None, alias="AP")


class ConfusionCell(Artifact):
    """One cell of the confusion matrix that is not empty: its row, its column, and the file names of its images."""

    annotated: int
    detected: int
    images: list[str] = Field(default_factory=list)


class ConfusionMatrix(Artifact):
    """What was annotated (rows) and what was detected there (columns); the last row and column are the background."""

    classes: list[str]
    counts: list[list[int]]
    images: list[ConfusionCell] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_square(self) -> Self:
        side = len(self.classes) + 1
        if [len(row) for row in self.counts] != [side] * side:
            rows = ", ".join(str(len(row)) for row in self.counts[:_MAX_LISTED])
            raise ValueError(
                f"{side} rows of {side} counts belong to {len(self.classes)} classes, but they have {rows}"
            )
        if any(not 0 <= index < side for cell in self.images for index in (cell.annotated, cell.detected)):
            raise ValueError(f"images are given for a cell that is not in its {side} rows and columns")
        return self


class MistakeCount(Artifact):
    """Mistakes of one kind: at any score, from the shipped score on, and what AP50 would gain without them."""

    count: int | None = None
    at_threshold: int | None = None
    ap50_gain: float | None = Field(None, alias="AP50_gain")


class Analysis(Artifact):
    """All of it; `intervals` are by the figure's name (`mAP`, `AP of CLASS`), `mistakes` by kind.

    `score_origin` says, after the words "a score of 0.62", how the shipped score was chosen.
    """

    by_iou: list[ApAtIou] = Field(default_factory=list)
    intervals: dict[str, Interval | None] = Field(default_factory=dict)
    at_threshold: OperatingPoints = OperatingPoints()
    at_best_f1: OperatingPoints = Field(OperatingPoints(), alias="at_best_F1")
    confusion: ConfusionMatrix | None = None
    mistakes: dict[str, MistakeCount] = Field(default_factory=dict)
    score_origin: str = ""


def class_interval_name(class_name: str) -> str:
    """The name of a class's average precision among the intervals."""
    return f"AP of {class_name}"


def read_analysis(detections: Path) -> Analysis:
    """The analysis in the folder `detections`; an empty one where the file is missing, as older versions wrote none.

    Raises:
        FormatError: it is not what the evaluate stage writes.
    """
    path = detections / _NAME
    return read_artifact(path, Analysis, "evaluate") if path.is_file() else Analysis()


def write_analysis(detections: Path, analysis: Analysis) -> None:
    """Write it into the folder `detections`."""
    write_artifact(detections / _NAME, analysis)
