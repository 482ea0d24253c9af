"""Which variants may be shipped: those that do not surely lose more mAP than allowed on the val split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from tasks.dataset.dataset import Dataset
from tasks.errors import EvaluationError
from tasks.evaluation.exported import load_variant
from tasks.evaluation.losses import export_remedy, is_too_much, mean_ap_difference
from tasks.evaluation.scoring import detect_all
from tasks.metrics.analysis import carriers_of
from tasks.metrics.differences import Difference
from tasks.metrics.loss_texts import why_unproven
from tasks.metrics.matching import Matches, match_detections
from tasks.model.variants import variant_name


@dataclass(frozen=True)
class Judge:
    """Measures variants on the val split.

    Attributes:
        val: the split.
        reference: the SavedModel's detections in it, matched.
        max_loss: `export.max_mAP_loss`.
        on_loss: `export.on_loss`.
    """

    val: Dataset
    reference: Matches
    max_loss: float
    on_loss: Literal["stop", "leave_out"]

    def difference(self, file: Path) -> Difference:
        """The variant's mAP less the SavedModel's.

        Raises:
            CheckpointError: the file cannot be run.
            EvaluationError: an image could not be scored.
        """
        found = detect_all(load_variant(file), self.val, 1, f"export: scoring {file.name} on val")
        return mean_ap_difference(self.reference, match_detections(self.val, found))

    def is_too_much(self, difference: Difference) -> bool:
        """Whether the variant surely loses more than `max_loss`."""
        return is_too_much(difference, self.max_loss)

    def why_left_out(self, file: Path, difference: Difference) -> str | None:
        """The reason to leave the variant out; None where it may be shipped.

        Raises:
            EvaluationError: it surely loses too much, and `export.on_loss` is `stop`.
        """
        if difference.interval is None:
            self._warn_unproven(file, difference)
            return None
        if not self.is_too_much(difference):
            return None
        reason = (
            f"{file.name} surely loses more than {self.max_loss:g} mAP on the val split (95 %: "
            f"{-difference.interval.high:.3f} to {-difference.interval.low:.3f})"
        )
        if self.on_loss == "leave_out":
            tqdm.write(f"export: {reason}: it is left out")
            return reason
        raise EvaluationError(f"{reason}: {export_remedy(variant_name(file))}")

    def _warn_unproven(self, file: Path, difference: Difference) -> None:
        why = why_unproven(len(self.val.images), carriers_of(self.reference)["mAP"], "val")
        if why:
            change = "" if difference.change is None else f" (mAP {difference.change:+.3f} on val)"
            tqdm.write(f"export: {file.name} is exported, but nothing is proven of what it loses{change}: {why}")
