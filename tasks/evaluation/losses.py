"""What a variant loses against the SavedModel on the same images, and whether that is too much."""

from tasks.artifacts.variant_losses import VariantLoss
from tasks.metrics.differences import Difference, differences
from tasks.metrics.matching import Matches


def mean_ap_difference(reference: Matches, variant: Matches) -> Difference:
    """The variant's mAP less that of the reference, both on the same images."""
    return next(each for each in differences(reference, variant) if each.name == "mAP")


def is_too_much(difference: Difference, max_loss: float) -> bool:
    """Whether the loss is surely beyond `max_loss`, a mAP in 0..1: its whole 95 % interval is."""
    return difference.interval is not None and difference.interval.high < -max_loss


def complaint(losses: list[VariantLoss], max_loss: float) -> str:
    """A sentence on the variants that lose too much and on what to do; empty where none does."""
    named = [
        f"{each.file} loses {-each.difference:.3f} mAP on the test split (95 %: {-each.interval.high:.3f} to "
        f"{-each.interval.low:.3f})"
        for each in losses
        if each.is_too_much and each.difference is not None and each.interval is not None
    ]
    if not named:
        return ""
    return (
        f"{'; '.join(named)}: surely more than export.max_mAP_loss ({max_loss:g}). Take the variant out of "
        "export.variants, allow a larger loss, or raise export.calibration_images"
    )
