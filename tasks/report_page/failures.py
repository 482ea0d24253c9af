"""Where a detector fails: tables from analysis.json, of which anything may be missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.artifacts.analysis import Analysis, ConfusionMatrix, MistakeCount, OperatingPoint

_MEANINGS = {
    "classification": "on an object, but of another class",
    "localisation": "of the right class, but the box is off (IoU 0.1 to 0.5)",
    "both": "the class is wrong and the box is off",
    "duplicate": "of an object that a detection with a higher score has found already",
    "background": "on nothing",
    "missed": "objects that no detection comes near",
}


@dataclass(frozen=True)
class OperatingRow:
    """One class, or all: the operating point at the shipped score, and the one with the best F1 there could be."""

    name: str
    colour: str
    shipped: OperatingPoint
    best: OperatingPoint


@dataclass(frozen=True)
class MistakeRow:
    """One kind of mistake: how many, what AP50 would gain without them, and what it means."""

    kind: str
    counts: MistakeCount
    meaning: str


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix.

    Attributes:
        share: of the largest cell, in 0..1.
        right: whether what was detected is what was annotated.
        pictures: the places in the gallery of the pictures that it counts.
    """

    count: int
    share: float
    right: bool
    pictures: list[int]


@dataclass(frozen=True)
class ConfusionRow:
    """What was detected where `name` was annotated; None stands for nothing."""

    name: str | None
    cells: list[Cell]


@dataclass(frozen=True)
class ConfusionTable:
    """The matrix; its last row is of detections on nothing, its last column of boxes that nothing found."""

    classes: list[str]
    rows: list[ConfusionRow]

    @property
    def columns(self) -> list[str]:
        """What was detected, column by column."""
        return [*self.classes, "nothing"]


def operating_rows(analysis: Analysis, classes: Sequence[str], colours: Mapping[str, str]) -> list[OperatingRow]:
    """The first row is of all classes; no rows where no score is recorded."""
    shipped, best = analysis.at_threshold, analysis.at_best_f1
    if shipped.all.score is None:
        return []
    missing = OperatingPoint()
    return [
        OperatingRow("all classes", "", shipped.all, best.all),
        *(
            OperatingRow(
                name, colours.get(name, ""), shipped.per_class.get(name, missing), best.per_class.get(name, missing)
            )
            for name in classes
        ),
    ]


def mistake_rows(analysis: Analysis) -> list[MistakeRow]:
    """A row for each recorded kind, the one that costs most first."""
    rows = [
        MistakeRow(kind, analysis.mistakes[kind], meaning)
        for kind, meaning in _MEANINGS.items()
        if kind in analysis.mistakes
    ]
    return sorted(rows, key=lambda row: -(row.counts.ap50_gain or 0.0))


def confusion_table(matrix: ConfusionMatrix | None, places: Mapping[str, int]) -> ConfusionTable | None:
    """The matrix as rows of cells; None where none is recorded.

    Args:
        matrix: what was annotated and detected.
        places: where in the gallery the picture of a file is.
    """
    if matrix is None:
        return None
    pictures = {
        (cell.annotated, cell.detected): [places[name] for name in cell.images if name in places]
        for cell in matrix.images
    }
    classes = matrix.classes
    largest = max([1, *(count for row in matrix.counts for count in row)])
    rows = [
        ConfusionRow(
            classes[r] if r < len(classes) else None,
            [
                Cell(count, count / largest, r == c < len(classes), pictures.get((r, c), []))
                for c, count in enumerate(counts)
            ],
        )
        for r, counts in enumerate(matrix.counts)
    ]
    return ConfusionTable(classes, rows)
