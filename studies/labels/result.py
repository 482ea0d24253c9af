"""The file of one review, results/DATA-SEED.json, typed."""

from studies.results import NamedResult
from tasks.artifacts.artifact import Artifact


class MethodFigures(Artifact):
    """What one method finds.

    Attributes:
        recall: of the planted mistakes, where half of the suspects so far are right, in 0..1.
        suspects: how many a person has looked at by then.
        found: planted mistakes among them, by kind.
    """

    recall: float
    suspects: int
    found: dict[str, int]


class OfOneSeed(NamedResult):
    """Of one data set with one seed of what is planted, by names in trials.yaml."""

    data: str
    seed: int

    @property
    def key(self) -> str:
        """Its name among results."""
        return f"{self.data}-{self.seed}"


class Reviewed(OfOneSeed):
    """One data set with one seed.

    Attributes:
        code: the version of the code, the params and the weights that made it.
        images, labels: in the data set.
        planted: mistakes, by kind.
        mAP, AP50: of the detections out of fold against the labels before any mistake was planted.
        minutes: of all trainings and detecting; other work on the machine is in it.
        review: what the command finds.
    """

    code: str
    images: int
    labels: int
    planted: dict[str, int]
    mAP: float | None  # noqa: N815 - the metric's name
    AP50: float | None
    minutes: float
    review: MethodFigures


class ObjectLabFigures(OfOneSeed):
    """What ObjectLab finds in the same labels and detections.

    Attributes:
        thresholds: the fitted ones, low and high.
        own: with the thresholds that it has by default.
        fitted: with fitted ones.
    """

    thresholds: tuple[float, float] | None
    own: MethodFigures
    fitted: MethodFigures
