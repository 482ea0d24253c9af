"""The file of one method with one seed, results/DATA-SEED-METHOD.json, typed."""

from pydantic import Field

from studies.results import NamedResult
from tasks.artifacts.artifact import Artifact


class Round(Artifact):
    """One training.

    Attributes:
        labels: how many photos it had.
        new: those that the round before lacked, by name.
        mAP, AP50: COCO's, on the test split, of the last weights.
        train_seconds: of the training alone; other work on the machine is in it.
    """

    labels: int
    new: list[str]
    mAP: float  # noqa: N815 - the metric's name
    AP50: float
    train_seconds: float


class Curve(NamedResult):
    """The rounds of one method.

    Attributes:
        data, method, seed: by names in trials.yaml.
        code: the version of the code, the params and the weights that made it.
        steps: of each training.
        test_images: on which all rounds are scored.
        pool: how many photos there were to label.
        rounds: with more labels each.
        next: the photos that the next round adds; empty at the end.
    """

    data: str
    method: str
    seed: int
    code: str
    steps: int
    test_images: int
    pool: int
    rounds: list[Round] = Field(default_factory=list)
    next: list[str] = Field(default_factory=list)

    @property
    def key(self) -> str:
        """Its name among results."""
        return f"{self.data}-{self.seed}-{self.method}"

    @property
    def labelled(self) -> list[str]:
        """All photos with labels, those of the next round included."""
        return [*(name for each in self.rounds for name in each.new), *self.next]
