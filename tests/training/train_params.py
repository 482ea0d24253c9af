"""The train section of params.yaml, with changes."""

from pathlib import Path
from typing import Any

from tasks.params import TrainParams, read_params

_SHIPPED = read_params(Path(__file__).parents[2] / "params.yaml").train


def train_params(**changes: Any) -> TrainParams:
    """The shipped params.yaml with `changes`."""
    return TrainParams.model_validate(_SHIPPED.model_dump() | changes)
