"""What a variant loses against the SavedModel on the same images, whether that is too much, and what to do then."""

from collections.abc import Mapping, Sequence
from typing import Literal

from tasks.artifacts.variant_losses import VariantLoss
from tasks.metrics.differences import Difference, differences
from tasks.metrics.matching import Matches
from tasks.params import VariantName

# What to take in place of a variant that rounds.
_INSTEAD: Mapping[VariantName, str] = {
    "float16": "float32 rounds nothing",
    "dynamic": "float16 usually loses less",
    "int8": "dynamic and float16 usually lose less",
}


def mean_ap_difference(reference: Matches, variant: Matches) -> Difference:
    """The variant's mAP less that of the reference, both on the same images."""
    return next(each for each in differences(reference, variant) if each.name == "mAP")


def is_too_much(difference: Difference, max_loss: float) -> bool:
    """Whether the loss is surely beyond `max_loss`, a mAP in 0..1: its whole 95 % interval is."""
    return difference.interval is not None and difference.interval.high < -max_loss


def export_remedy(name: VariantName) -> str:
    """What to do where `export` stops for the variant `name`."""
    tried = "all forms of int8 were tried, with ranges of all training photos, too; " if name == "int8" else ""
    instead = f" ({tried}{_INSTEAD[name]})" if name in _INSTEAD else ""
    return (
        f"set export.on_loss to leave_out to export the others, take {name} out of export.variants{instead}, or allow "
        "more in export.max_mAP_loss"
    )


def complaint(losses: Sequence[VariantLoss], max_loss: float, on_loss: Literal["stop", "leave_out"]) -> str:
    """A sentence for each variant that loses too much on the test split, with what to do; empty where none does.

    With `on_loss` `stop` the stage ends with it; with `leave_out` it goes on.
    """
    return "; ".join(
        f"{each.file} loses {-each.difference:.3f} mAP on the test split (95 %: {-each.interval.high:.3f} to "
        f"{-each.interval.low:.3f}), surely more than export.max_mAP_loss ({max_loss:g}): {_remedy(each.name, on_loss)}"
        for each in losses
        if each.is_too_much and each.difference is not None and each.interval is not None
    )


def _remedy(name: VariantName, on_loss: Literal["stop", "leave_out"]) -> str:
    instead = f" ({_INSTEAD[name]})" if name in _INSTEAD else ""
    ways = [f"take {name} out of export.variants{instead}"]
    if name == "int8":
        ways.append("measure its ranges on more photos (export.calibration_images)")
    if on_loss == "leave_out":
        return f"report and card mark it; do not ship it, but {' or '.join(ways)}"
    ways.append("allow more in export.max_mAP_loss")
    return f"{', '.join(ways)}, or set export.on_loss to leave_out, and report and card mark it without a stop"
