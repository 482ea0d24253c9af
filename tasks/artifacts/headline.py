"""metrics/headline.json: the few figures that `dvc metrics show` and `dvc metrics diff` print.

DVC prints a column (`show`) or a row (`diff`) for each figure, sorted by name. The names are chosen so that mAP comes
first and all of them fit a terminal of 120 columns: `mAP50`, `mAP75` and `mAR100` are AP50, AP75 and AR100 of
metrics/evaluate.json, `mAP_lo` and `mAP_hi` the ends of mAP's 95 % interval, `tflite` is mAP of the TFLite model.

Classes have no columns of their own, as not even two would fit: `worst` is the lowest AP of any class.
`dvc metrics diff --targets metrics/evaluate.json` prints every figure of every class.

Values have three digits; metrics/evaluate.json has all of them.
"""

from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, write_artifact
from tasks.artifacts.evaluation import Evaluation

_DIGITS = 3


class Headline(Artifact):
    """The figures of the SavedModel, and one of the TFLite model; None where there is nothing to measure."""

    mean_ap: float | None = Field(alias="mAP")
    ap50: float | None = Field(alias="mAP50")
    ap75: float | None = Field(alias="mAP75")
    mean_ap_low: float | None = Field(alias="mAP_lo")
    mean_ap_high: float | None = Field(alias="mAP_hi")
    ar100: float | None = Field(alias="mAR100")
    precision: float | None
    recall: float | None
    tflite: float | None
    worst: float | None


def headline_of(evaluation: Evaluation) -> Headline:
    """The headline of an evaluation, rounded."""
    model = evaluation.saved_model
    of_classes = [each.ap for each in model.per_class.values() if each.ap is not None]
    return Headline(
        mean_ap=_rounded(model.mean_ap),
        ap50=_rounded(model.ap50),
        ap75=_rounded(model.ap75),
        mean_ap_low=_rounded(model.mean_ap_low),
        mean_ap_high=_rounded(model.mean_ap_high),
        ar100=_rounded(model.ar100),
        precision=_rounded(model.precision),
        recall=_rounded(model.recall),
        tflite=_rounded(evaluation.tflite.mean_ap),
        worst=_rounded(min(of_classes, default=None)),
    )


def write_headline(path: Path, headline: Headline) -> None:
    """Write it."""
    write_artifact(path, headline)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
