"""What a run of the study writes about itself, typed: run.json and timing/MODEL-ARM.json; and start.json."""

from pathlib import Path

from pydantic import Field

from studies.freeze.places import START
from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact

# `(step, value)` pairs, in step order.
Curve = list[tuple[float, float]]


class Curves(Artifact):
    """A training's curves: loss and milliseconds of each step; COCO's mAP and AP50 of each validation."""

    loss: Curve = Field(alias="train/loss")
    step_ms: Curve = Field(alias="train/step_ms")
    mAP: Curve = Field(alias="val/mAP")  # noqa: N815 - the metric's name
    AP50: Curve = Field(alias="val/AP50")


class Record(Artifact):
    """One training: which, by which code, how fast, and the audit of its frozen variables.

    Attributes:
        model, arm: by name in study.yaml.
        code: the version of the code, the params and the weights that made it.
        startup_s: seconds from the start of the process to its first step.
        frozen_variables: their number, moving statistics included.
        frozen_max_abs_change, frozen_statistics_max_abs_change: the audit: 0 where nothing that is frozen moved.
        curves: over steps.
    """

    model: str
    arm: str
    code: str
    startup_s: float
    frozen_variables: int
    frozen_max_abs_change: float
    frozen_statistics_max_abs_change: float
    curves: Curves

    @property
    def largest_change(self) -> float:
        """Of any frozen variable."""
        return max(self.frozen_max_abs_change, self.frozen_statistics_max_abs_change)


class RunRecord(Record):
    """The record of a run of the matrix, which has a seed of its own."""

    seed: int


class Start(Artifact):
    """What the runs of a model start from: the value of `checkpoint.source`."""

    source: str


def read_start(folder: Path) -> Start:
    """What `start` wrote into `folder`.

    Raises:
        DataError: it has not run yet.
        FormatError: the file is not what it writes.
    """
    return read_artifact(folder / START, Start, f"start@{folder.name}")


def write_start(folder: Path, start: Start) -> None:
    """Write `start` into `folder`."""
    write_artifact(folder / START, start)
