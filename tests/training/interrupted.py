"""A training run that is interrupted."""

from tasks.training.progress import HistoryRow, RowListener


class InterruptedRunError(Exception):
    """Raised where a test interrupts a run."""


def until(step: int) -> RowListener:
    """For `Trainer.run`: interrupts it as soon as a later step than `step` has been taken."""

    def interrupt(row: HistoryRow) -> None:
        if row.step > step:
            raise InterruptedRunError

    return interrupt
