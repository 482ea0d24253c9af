"""The precision-recall curves below plots/evaluate/, for the report and for `dvc plots`.

In the files, the names of classes are as `text_to_plot` writes them.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact
from tasks.ground.text import plot_to_text, text_to_plot

_ALL_CURVES, _AVERAGE = "precision_recall.json", "precision_recall_average.json"


class CurvePoint(Artifact):
    """One point of a curve; `score` is the threshold that gives it, None where there is none."""

    class_: str = Field(alias="class")
    recall: float
    precision: float
    score: float | None = None


def read_precision_recall(plots: Path) -> list[CurvePoint]:
    """The points of all curves in the folder `plots`, the average first; empty where the file is missing.

    Raises:
        FormatError: it is not what the evaluate stage writes.
    """
    path = plots / _ALL_CURVES
    return _renamed(read_artifact(path, list[CurvePoint], "evaluate"), plot_to_text) if path.is_file() else []


def write_precision_recall(plots: Path, points: Sequence[CurvePoint]) -> None:
    """Write all curves, and the first one, the average, alone: `dvc plots` draws that without knowing the classes."""
    written = _renamed(points, text_to_plot)
    write_artifact(plots / _ALL_CURVES, written)
    write_artifact(plots / _AVERAGE, [point for point in written if point.class_ == written[0].class_])


def _renamed(points: Sequence[CurvePoint], rename: Callable[[str], str]) -> list[CurvePoint]:
    return [point.model_copy(update={"class_": rename(point.class_)}) for point in points]
