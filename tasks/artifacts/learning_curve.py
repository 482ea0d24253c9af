"""What the command learning-curve measured and fitted: a JSON file beside its page."""

from pathlib import Path

from pydantic import Field, ValidationError

from tasks.artifacts.analysis import Interval
from tasks.artifacts.artifact import Artifact, write_artifact
from tasks.errors import DataError, FormatError
from tasks.ground.files import read_json


class Expected(Artifact):
    """A figure, and where it lies with a probability of 95 %."""

    value: float
    interval: Interval


class CurvePlace(Artifact):
    """The fitted mAP after training on so many images."""

    images: float
    expected: Expected


class SizeScores(Artifact):
    """The trainings on one share of the training images: `scores` has the mAP of each seed."""

    percent: int
    images: int
    scores: list[float]

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return sum(self.scores) / len(self.scores)


class FittedCurve(Artifact):
    """What the curve gives.

    Attributes:
        now: mAP on all training images, for all images of the kind that were scored.
        doubled: on twice as many.
        gain: of those, on the same images.
        exponent: c of a - b n^-c.
        places: from the smallest size to twice the images.
        fits: whether the measured sizes lie as near to it as chance lets them.
    """

    now: Expected
    doubled: Expected
    gain: Expected
    exponent: Expected
    places: list[CurvePlace]
    fits: bool


class MeasuredCurve(Artifact):
    """All of it.

    Attributes:
        model: `model.name`.
        steps: of each training.
        sizes: by rising number of images; the last has all.
        scored: images of each split that were scored, by its name.
        curve: None where none can be fitted, for the reason `why_no_curve`.
        gain_to_see: a gain in mAP.
        images_to_see_gain: how many images it takes to see it; None where unknown.
    """

    model: str
    steps: int
    sizes: list[SizeScores]
    scored: dict[str, int]
    curve: FittedCurve | None = None
    why_no_curve: str = ""
    gain_to_see: float = 0.02
    images_to_see_gain: int | None = Field(default=None, ge=1)


def read_learning_curve(path: Path) -> MeasuredCurve:
    """The content of `path`.

    Raises:
        DataError: there is no such file.
        FormatError: it is not what the command writes.
    """
    again = "run `python -m tasks learning-curve`, which writes it"
    if not path.is_file():
        raise DataError(f"{path}: no such file; {again}")
    try:
        return MeasuredCurve.model_validate(read_json(path, "a learning curve"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its content"
        raise FormatError(f"{path}: not a learning curve: {where}: {first['msg']}; {again}") from error


def write_learning_curve(path: Path, measured: MeasuredCurve) -> None:
    """Write it."""
    write_artifact(path, measured)
