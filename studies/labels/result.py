"""The file of one review, results/DATA-SEED.json, typed."""

from pathlib import Path

from tasks.artifacts.artifact import Artifact, read_artifact


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


class Reviewed(Artifact):
    """One data set with one seed.

    Attributes:
        data, seed: by names in trials.yaml.
        code: the version of the code, the params and the weights that made it.
        images, labels: in the data set.
        planted: mistakes, by kind.
        mAP, AP50: of the detections out of fold against the labels before any mistake was planted.
        minutes: of all trainings and detecting; other work on the machine is in it.
        review: what the command finds.
    """

    data: str
    seed: int
    code: str
    images: int
    labels: int
    planted: dict[str, int]
    mAP: float | None  # noqa: N815 - the metric's name
    AP50: float | None
    minutes: float
    review: MethodFigures

    @property
    def key(self) -> str:
        """Its name among results."""
        return f"{self.data}-{self.seed}"


class ObjectLabFigures(Artifact):
    """What ObjectLab finds in the same labels and detections.

    Attributes:
        data, seed: by names in trials.yaml.
        thresholds: the fitted ones, low and high.
        own: with the thresholds that it has by default.
        fitted: with fitted ones.
    """

    data: str
    seed: int
    thresholds: tuple[float, float] | None
    own: MethodFigures
    fitted: MethodFigures


def read_reviewed(folder: Path) -> list[Reviewed]:
    """Every result in `folder`, in the order of file names.

    Raises:
        FormatError: a file is not the result of a run.
    """
    return [read_artifact(path, Reviewed, f"review@{path.stem}") for path in sorted(folder.glob("*.json"))]


def read_objectlab(folder: Path) -> dict[str, ObjectLabFigures]:
    """The same of ObjectLab, by key."""
    paths = sorted(folder.glob("*.json"))
    return {path.stem: read_artifact(path, ObjectLabFigures, f"objectlab@{path.stem}") for path in paths}
