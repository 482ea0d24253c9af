"""The file of one run, results/DATA-ARM-STEPS-SEED.json, typed."""

from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact


class Trial(NamedTuple):
    """One run of the matrix, by names in trials.yaml."""

    data: str
    arm: str
    steps: int
    seed: int

    @property
    def key(self) -> str:
        """Its name among results and stages."""
        return "-".join(map(str, self))


class TrialResult(Artifact):
    """One run of the matrix and its score.

    Attributes:
        data, arm, steps, seed: the run, by names in trials.yaml.
        code: the version of the code, the params and the weights that made it.
        step_ms_median: median milliseconds a step; with two phases, over both.
        seconds: from the start to the last step: imports and what is computed once of frozen layers count, the
            validation does not. Other work on the machine is in it.
        split: what it is scored on, val or test.
        images: their number.
        mAP, AP50: COCO's mAP and AP50 of its last weights, 0..1.
    """

    data: str
    arm: str
    steps: int
    seed: int
    code: str
    step_ms_median: float
    seconds: float
    split: str = Field(alias="part")
    images: int
    mAP: float  # noqa: N815 - the metric's name
    AP50: float

    @property
    def trial(self) -> Trial:
        """Which run it is of."""
        return Trial(self.data, self.arm, self.steps, self.seed)


def read_results(folder: Path) -> list[TrialResult]:
    """Every result in `folder`, in the order of file names.

    Raises:
        FormatError: a file is not the result of a run.
    """
    return [read_artifact(path, TrialResult, f"train@{path.stem}") for path in sorted(folder.glob("*.json"))]
