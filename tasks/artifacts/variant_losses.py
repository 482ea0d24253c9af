"""variants.json, beside the detections: what each exported variant loses against the SavedModel on the test split."""

from pathlib import Path

from pydantic import Field

from tasks.artifacts.analysis import Interval
from tasks.artifacts.artifact import Artifact, read_artifact, write_artifact
from tasks.params import VariantName

_NAME = "variants.json"


class VariantLoss(Artifact):
    """One variant.

    Attributes:
        name: see `tasks.model.variants.VARIANTS`.
        file: its name in the export folder.
        runtime: what ran it.
        form: how it was made.
        takes_pixels: whether its input is pixels, uint8, in place of floats.
        size_mb: in 10^6 bytes.
        mean_ap: on the test split, in 0..1; None where there is nothing to measure.
        difference: `mean_ap` less the SavedModel's, on the same images.
        interval: where that lies for all such images, 95 %; None where it cannot be given.
        is_too_much: whether the whole interval is beyond `export.max_mAP_loss`.
        edge_tpu_fallbacks: of int8, the operations that an Edge TPU leaves to the CPU, with how often they occur.
    """

    name: VariantName
    file: str
    runtime: str
    form: str
    takes_pixels: bool = False
    size_mb: float
    mean_ap: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    is_too_much: bool = False
    edge_tpu_fallbacks: dict[str, int] | None = None


class VariantLosses(Artifact):
    """All variants that `export.variants` names.

    Attributes:
        scored: those that were exported, and so were evaluated.
        left_out: why `export` left the others out, by variant.
        images: of the test split.
        carriers: how many of them show the rarest class; they decide whether a loss has an interval.
    """

    scored: list[VariantLoss] = Field(default_factory=list)
    left_out: dict[VariantName, str] = Field(default_factory=dict)
    images: int = 0
    carriers: int = 0


def read_variant_losses(folder: Path) -> VariantLosses:
    """What the evaluate stage found; nothing where the run is of a version that had no variants.

    Raises:
        FormatError: the file is not what the evaluate stage writes.
    """
    file = folder / _NAME
    return read_artifact(file, VariantLosses, "evaluate") if file.is_file() else VariantLosses()


def write_variant_losses(folder: Path, losses: VariantLosses) -> None:
    """Write them."""
    (folder / _NAME).parent.mkdir(parents=True, exist_ok=True)
    write_artifact(folder / _NAME, losses)
