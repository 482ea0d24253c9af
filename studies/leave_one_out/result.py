"""What leave-one-out writes, metrics/leave_one_out.json, typed; and the same for people."""

from tasks.artifacts.analysis import Interval
from tasks.artifacts.artifact import Artifact
from tasks.artifacts.evaluation import ClassFigures
from tasks.ground.figures import figure_text, interval_text


class LeaveOneOutFigures(Artifact):
    """COCO's figures over all images, 0..1; None where there is no box to score.

    Attributes:
        images: their number; each is scored by a model that did not see it.
        mAP, AP50, AP75, AR100: of all classes.
        per_class: AP, AP50 and AR100 of each class.
        intervals: the 95 % interval, `(low, high)`, of each of these and of `AP of CLASS`; None for too few images.
    """

    images: int
    mAP: float | None  # noqa: N815 - the metric's name
    AP50: float | None
    AP75: float | None
    AR100: float | None
    per_class: dict[str, ClassFigures]
    intervals: dict[str, Interval | None]

    def lines(self) -> list[str]:
        """The figures for people, one a line, with intervals."""
        figures = {"mAP": self.mAP, "AP50": self.AP50, "AP75": self.AP75, "AR100": self.AR100}
        return [
            f"{self.images} images, each scored by a model that did not see it:",
            *(_line(name, value, self.intervals[name]) for name, value in figures.items()),
        ]


def _line(name: str, value: float | None, interval: Interval | None) -> str:
    ends = f"95 %: {interval_text(interval)}" if interval else "no interval"
    return f"  {name:6} {figure_text(value)}   {ends}"
