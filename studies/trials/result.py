"""The file of one run, results/DATA-ARM-STEPS-SEED.json, typed."""

from typing import NamedTuple

from pydantic import Field

from studies.results import NamedResult


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


class TrialResult(NamedResult):
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
    mAP: float = Field(ge=0, le=1)  # noqa: N815 - the metric's name
    AP50: float = Field(ge=0, le=1)

    @property
    def trial(self) -> Trial:
        """Which run it is of."""
        return Trial(self.data, self.arm, self.steps, self.seed)

    @property
    def key(self) -> str:
        """Its name among results and stages."""
        return self.trial.key
