"""A training run that ends in the middle of things."""

from collections.abc import Callable
from typing import Any


class BrokenOffError(Exception):
    """Raised where a test breaks a run off."""


def until(step: int) -> Callable[[dict[str, Any]], None]:
    """For `Trainer.run`: breaks off as soon as a later step than `step` has been taken."""

    def on(row: dict[str, Any]) -> None:
        if row["step"] > step:
            raise BrokenOffError

    return on
