"""How far a training run has come: a row for every step and validation, and what it takes to go on from there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from tasks.artifacts.training import StopReason


@dataclass(frozen=True)
class StepRow:
    """The figures of one training step.

    Attributes:
        step: counted from 1.
        loss: the sum of the two losses of the whole batch.
        classification_loss, localization_loss: the OD API's, weighted.
        gradient_norm: of all gradients together, before clipping.
        learning_rate: of the layers that a checkpoint filled.
        step_ms: milliseconds, waiting for the batch included.
        images_per_s: at that pace.
    """

    step: int
    loss: float
    classification_loss: float
    localization_loss: float
    gradient_norm: float
    learning_rate: float
    step_ms: float
    images_per_s: float


@dataclass(frozen=True)
class ValidationScores:
    """What a validation measures, each in 0..1; `mAP` chooses the best checkpoint."""

    mAP: float  # noqa: N815 - the metric's name
    AP50: float


@dataclass(frozen=True)
class ValidationRow(ValidationScores):
    """The scores after step `step`."""

    step: int


HistoryRow: TypeAlias = StepRow | ValidationRow
RowListener: TypeAlias = Callable[[HistoryRow], None]
# None where there are no validation images.
Validate: TypeAlias = Callable[[], ValidationScores | None]


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        step: steps taken.
        seconds: spent training, validations included, over all the processes that did.
        waiting_s, validating_s: how much of it went into waiting for batches, and into validations.
        stopped_by: what ended training; None before that.
        best_step, best_score: of the best checkpoint; the step is 0 while there is none.
        history: a row a step or validation, as they happened.
    """

    step: int = 0
    seconds: float = 0.0
    waiting_s: float = 0.0
    validating_s: float = 0.0
    stopped_by: StopReason | None = None
    best_step: int = 0
    best_score: float = -1.0
    history: list[HistoryRow] = field(default_factory=list)

    @property
    def steps(self) -> list[StepRow]:
        """The rows of steps."""
        return [row for row in self.history if isinstance(row, StepRow)]

    @property
    def validations(self) -> list[ValidationRow]:
        """The rows of validations."""
        return [row for row in self.history if isinstance(row, ValidationRow)]
