"""What the gate counted: `metrics/data.json`, which the validate stage writes beside the annotations that passed."""

from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact


class GateCounts(Artifact):
    """How much passed the gate, and what was wrong with the rest; None where a file of another version lacks a count.

    Attributes:
        images, boxes: those that passed.
        dropped_images, dropped_boxes: those that did not; boxes of dropped images are counted too.
        fixed_boxes: boxes that passed after a repair.
        difficult, iscrowd: boxes that passed and have this flag.
        problems: how many there are of each kind.
        classes: how many boxes of each class passed.
    """

    images: int | None = None
    boxes: int | None = None
    dropped_images: int | None = None
    dropped_boxes: int | None = None
    fixed_boxes: int | None = None
    difficult: int | None = None
    iscrowd: int | None = None
    problems: dict[str, int] = Field(default_factory=dict)
    classes: dict[str, int] = Field(default_factory=dict)


def read_gate_counts(path: Path) -> GateCounts:
    """The counts in `path`, which is `paths.metrics_data`.

    Raises:
        DataError: there is no such file.
        FormatError: it is not JSON, or not what the validate stage writes.
    """
    return read_artifact(path, GateCounts, "validate")


def write_gate_counts(path: Path, counts: GateCounts) -> None:
    """Write `counts` to `path`, which is `paths.metrics_data`."""
    write_artifact(path, counts)
