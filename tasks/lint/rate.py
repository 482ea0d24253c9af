"""The learning rate against the batch, seen from rates that are known to work."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.lint.finding import Finding

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class KnownRate:
    """A rate that works at a batch size, and how it goes with others: with the batch to the power of `exponent`."""

    rate: float
    batch_size: int
    exponent: float

    def at(self, batch_size: int) -> float:
        """The rate for another batch size."""
        return float(self.rate * (batch_size / self.batch_size) ** self.exponent)


KNOWN_RATES = {
    # params.yaml's own recipe, by which the README's figures came about. With Adam the rate goes with the root of the
    # batch: Malladi et al. 2022, arXiv:2205.10287.
    "adam": KnownRate(0.001, 8, 0.5),
    # The TensorFlow 2 zoo's SSD configs: 0.08 at batch 128 (MobileNet V2 FPNLite), 0.04 at 64 (MobileNet V1 FPN), which
    # is the same by the linear rule of Goyal et al. 2017, arXiv:1706.02677.
    "momentum": KnownRate(0.08, 128, 1.0),
}
FAR = 4.0
# Of rates that are at the limit but for rounding.
_ROUNDING = 1e-9


def check_rate(train: "TrainParams") -> list[Finding]:
    """A rate that is more than four times what is known to work, or less than a quarter of it."""
    usual = KNOWN_RATES[train.optimizer].at(train.batch_size)
    times = train.learning_rate / usual
    if 1 / FAR - _ROUNDING <= times <= FAR + _ROUNDING:
        return []
    told = f"{times:.2g} times" if times > 1 else f"1/{1 / times:.2g} of"
    outcome = (
        "the loss may run away, or what the weights knew be forgotten"
        if times > 1
        else "little may be learned in these steps"
    )
    return [
        Finding(
            "warning",
            "train.learning_rate",
            f"{train.learning_rate:g}",
            f"{told} what is known to work with {train.optimizer} at train.batch_size {train.batch_size}: {outcome}",
            f"try {usual:.2g}",
        )
    ]
