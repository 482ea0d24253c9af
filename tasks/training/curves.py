"""A training run's curves, written to dvclive's files, which DVC plots, and on request to TensorBoard's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from dvclive import Live

from tasks.training.progress import HistoryRow, RowListener, ValidationRow
from tasks.training.tensorboard import TensorBoard

# The curve that each figure of a history row belongs to.
_CURVES = {
    "loss": "train/loss",
    "classification_loss": "train/classification_loss",
    "localization_loss": "train/localization_loss",
    "learning_rate": "train/learning_rate",
    "gradient_norm": "train/gradient_norm",
    "step_ms": "train/step_ms",
    "images_per_s": "train/images_per_s",
    "mAP": "val/mAP",
    "AP50": "val/AP50",
}
_SUMMARY_EVERY_S = 1.0


@contextmanager
def training_curves(plots_train: Path, tensorboard: Path | None) -> Iterator[RowListener]:
    """Writes each row that it is called with to `plots_train` and, if that is not None, to `tensorboard`."""
    last_summary = 0.0
    board = TensorBoard(tensorboard) if tensorboard else None
    with Live(str(plots_train), dvcyaml=None, save_dvc_exp=False, report=None, monitor_system=False) as live:

        def write(row: HistoryRow) -> None:
            live.step = row.step
            figures = asdict(row)
            scalars = {curve: figures[name] for name, curve in _CURVES.items() if name in figures}
            for curve, value in scalars.items():
                live.log_metric(curve, value)
            nonlocal last_summary
            # Writing dvclive's summary takes milliseconds: too long for each of many short steps.
            if isinstance(row, ValidationRow) or time.monotonic() - last_summary > _SUMMARY_EVERY_S:
                live.sync()
                last_summary = time.monotonic()
            if board:
                board.log(row.step, scalars)

        yield write
