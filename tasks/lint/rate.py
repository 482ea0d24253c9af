"""The learning rate and the batch size against rates that are known to work."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.artifacts.lint import Finding
from tasks.model.schedule import Phase, phases_of

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class KnownRate:
    """A rate that works at one batch size; for others it scales with the batch size to the power of `exponent`."""

    rate: float
    batch_size: int
    exponent: float

    def at(self, batch_size: int) -> float:
        """The rate for another batch size."""
        return float(self.rate * (batch_size / self.batch_size) ** self.exponent)


KNOWN_RATES = {
    # params.yaml's own recipe, which gave the README's figures. With Adam the rate scales with the root of the batch
    # size: Malladi et al. 2022, arXiv:2205.10287.
    "adam": KnownRate(0.001, 8, 0.5),
    # The TensorFlow 2 zoo's SSD configs: 0.08 at batch 128 (MobileNet V2 FPNLite), 0.04 at 64 (MobileNet V1 FPN). By
    # the linear rule of Goyal et al. 2017, arXiv:1706.02677, these are the same.
    "momentum": KnownRate(0.08, 128, 1.0),
}
FAR = 4.0
# For rates that are at the limit except for rounding.
_ROUNDING = 1e-9


def check_rate(train: "TrainParams") -> list[Finding]:
    """A rate of more than four times what is known to work; in the first phase, or less than a quarter of it."""
    return [finding for phase in phases_of(train) for finding in _check_phase(phase)]


def _check_phase(phase: Phase) -> list[Finding]:
    train = phase.params
    usual = KNOWN_RATES[train.optimizer].at(train.batch_size)
    times = train.learning_rate / usual
    # A second phase is there to go on at a low rate.
    least = 1 / FAR if phase.number == 1 else 0.0
    if least - _ROUNDING <= times <= FAR + _ROUNDING:
        return []
    ratio = f"{times:.2g} times" if times > 1 else f"1/{1 / times:.2g} of"
    outcome = (
        "the loss may diverge, or the pretrained weights may be forgotten"
        if times > 1
        else "little may be learned in these steps"
    )
    return [
        Finding(
            "warning",
            f"{phase.section}.learning_rate",
            f"{train.learning_rate:g}",
            f"{ratio} what is known to work with {train.optimizer} at train.batch_size {train.batch_size}: {outcome}",
            f"try {usual:.2g}",
        )
    ]
