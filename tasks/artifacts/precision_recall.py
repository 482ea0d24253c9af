"""The precision-recall curves below plots/evaluate/, for the report and for `dvc plots`."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact

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
    return read_artifact(path, list[CurvePoint], "evaluate") if path.is_file() else []


def write_precision_recall(plots: Path, points: Sequence[CurvePoint]) -> None:
    """Write all curves, and the first one, the average, alone: `dvc plots` draws that without knowing the classes."""
    write_artifact(plots / _ALL_CURVES, list(points))
    write_artifact(plots / _AVERAGE, [point for point in points if point.class_ == points[0].class_])
