"""metrics/evaluate.json: how good every exported model is on the test split.

All figures are fractions in 0..1, or None where there is no groundtruth to measure against. The names on disk are
COCO's; a file of an older version may lack any of them.
"""

from pathlib import Path

from pydantic import Field

from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact

# The figures that stand first wherever figures are shown, and what each means.
HEADLINES = {
    "mAP": "averaged over IoU 0.50 to 0.95 and the classes",
    "AP50": "a box counts from IoU 0.50 on",
    "AP75": "a box counts from IoU 0.75 on",
    "AR100": "recall with up to 100 boxes an image",
}


class ClassFigures(Artifact):
    """The figures of one class."""

    ap: float | None = Field(None, alias="AP")
    ap50: float | None = Field(None, alias="AP50")
    ar100: float | None = Field(None, alias="AR100")


class CocoFigures(Artifact):
    """COCO's twelve figures, in the order of `COCOeval.stats`, and those of each class by its name."""

    mean_ap: float | None = Field(None, alias="mAP")
    ap50: float | None = Field(None, alias="AP50")
    ap75: float | None = Field(None, alias="AP75")
    ap_small: float | None = Field(None, alias="APsmall")
    ap_medium: float | None = Field(None, alias="APmedium")
    ap_large: float | None = Field(None, alias="APlarge")
    ar1: float | None = Field(None, alias="AR1")
    ar10: float | None = Field(None, alias="AR10")
    ar100: float | None = Field(None, alias="AR100")
    ar_small: float | None = Field(None, alias="ARsmall")
    ar_medium: float | None = Field(None, alias="ARmedium")
    ar_large: float | None = Field(None, alias="ARlarge")
    per_class: dict[str, ClassFigures] = Field(default_factory=dict)

    def by_name(self) -> dict[str, float | None]:
        """The twelve figures by COCO's names, in their order."""
        return {name: getattr(self, field) for name, field in _FIELDS.items()}


# Each figure's name and the field that holds it.
_FIELDS = {str(field.alias): name for name, field in CocoFigures.model_fields.items() if name != "per_class"}
FIGURES = tuple(_FIELDS)


class ModelFigures(CocoFigures):
    """The figures of one exported model, with precision, recall and F1 at the score it is shipped with."""

    score_threshold: float | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = Field(None, alias="F1")


class SavedModelFigures(ModelFigures):
    """The figures of the SavedModel, with the ends of the 95 % intervals of mAP and AP50; None where there is none."""

    mean_ap_low: float | None = Field(None, alias="mAP_low")
    mean_ap_high: float | None = Field(None, alias="mAP_high")
    ap50_low: float | None = Field(None, alias="AP50_low")
    ap50_high: float | None = Field(None, alias="AP50_high")

    def interval(self, name: str) -> tuple[float, float] | None:
        """The ends of the interval of `mAP` or `AP50`; None for any other figure, and where there is none."""
        ends = {"mAP": (self.mean_ap_low, self.mean_ap_high), "AP50": (self.ap50_low, self.ap50_high)}
        low, high = ends.get(name, (None, None))
        return None if low is None or high is None else (low, high)


class Evaluation(Artifact):
    """The figures of the exported models on the same `images` test images.

    Attributes:
        tflite: those of the variant float32; empty where it was not exported.
        variants: those of each variant by its name.
    """

    images: int = 0
    saved_model: SavedModelFigures = SavedModelFigures()
    tflite: ModelFigures = ModelFigures()
    variants: dict[str, ModelFigures] = Field(default_factory=dict)


def read_evaluation(path: Path) -> Evaluation:
    """The figures in `path`.

    Raises:
        DataError: there is no such file.
        FormatError: it is not what the evaluate stage writes.
    """
    return read_artifact(path, Evaluation, "evaluate")


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write the figures with all their digits."""
    write_artifact(path, evaluation)
