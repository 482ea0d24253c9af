"""The file of one run, results/DATA-ARM-STEPS-SEED.json, typed."""

from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact


class TrialResult(Artifact):
    """One run of the matrix and its score.

    Attributes:
        data, arm, steps, seed: the run, by names in trials.yaml.
        code: the version of the code, the params and the weights that made it.
        step_ms_median: median milliseconds a step.
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
    split: str = Field(alias="part")
    images: int
    mAP: float  # noqa: N815 - the metric's name
    AP50: float

    @property
    def seconds(self) -> float:
        """A median step times their number: leaves out, as far as possible, what other work on the machine took."""
        return self.step_ms_median * self.steps / 1000


def read_results(folder: Path) -> list[TrialResult]:
    """Every result in `folder`, in the order of file names.

    Raises:
        FormatError: a file is not the result of a run.
    """
    return [read_artifact(path, TrialResult, f"train@{path.stem}") for path in sorted(folder.glob("*.json"))]
