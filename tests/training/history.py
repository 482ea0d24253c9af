"""Rows of a training run's history."""

from tasks.training.progress import StepRow, ValidationRow


def step_row(step: int, *, loss: float = 0.5, gradient_norm: float = 1.0) -> StepRow:
    """A step of 100 ms."""
    return StepRow(
        step=step,
        loss=loss,
        classification_loss=loss / 2,
        localization_loss=loss / 2,
        gradient_norm=gradient_norm,
        learning_rate=0.1,
        step_ms=100.0,
        images_per_s=80.0,
    )


def validation_row(step: int, score: float = 0.5) -> ValidationRow:
    """A validation after `step`."""
    return ValidationRow(step=step, mAP=score, AP50=score)
