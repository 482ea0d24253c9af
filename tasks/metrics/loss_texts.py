"""What card, report and log say of variants' losses where figures alone do not: left out, or not proven."""

from tasks.artifacts.analysis import Interval
from tasks.artifacts.variant_losses import VariantLosses
from tasks.ground.figures import minus
from tasks.metrics.intervals import LEAST_IMAGES


def interval_or_reason(change: float | None, interval: Interval | None, carriers: int) -> str:
    """The interval of a difference as text, with three digits; where there is none, why, in two or three words.

    `carriers` is how many images show the rarest class.
    """
    if interval is not None:
        return minus(f"{interval.low:.3f} to {interval.high:.3f}")
    if change is None:
        return "nothing to measure"
    return "too few photos" if carriers < LEAST_IMAGES else "no difference"


def loss_text(loss: float) -> str:
    """What stands before `mAP`: `loses 0.012`, of a negative loss `gains 0.012`; `loses no` where all digits are 0."""
    if round(abs(loss), 3) == 0:
        return "loses no"
    return f"{'loses' if loss > 0 else 'gains'} {abs(loss):.3f}"


def why_unproven(images: int, carriers: int, split: str) -> str:
    """Why no difference on these images has an interval, and what to do; empty where one may have.

    Args:
        images: how many there are.
        carriers: how many of them show the rarest class.
        split: `val` or `test`.
    """
    if carriers >= LEAST_IMAGES:
        return ""
    if carriers:
        why = f"the rarest class is in {carriers} of the {images} {split} images, and an interval needs {LEAST_IMAGES}"
    else:
        why = f"none of the {images} {split} images has a box" if images else f"there are no {split} images"
    return f"{why}: annotate more photos, or raise split.{split}_fraction"


def remarks(losses: VariantLosses) -> list[str]:
    """Sentences on the variants that `export` left out, and on losses that could not be proven."""
    sentences = [f"{name} was left out at export: {reason}" for name, reason in losses.left_out.items()]
    why = why_unproven(losses.images, losses.carriers, "test")
    if losses.scored and why:
        sentences.append(f"What the variants lose is not proven: {why}")
    return sentences
