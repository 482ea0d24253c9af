"""Where a training run's curves go: dvclive's files, which DVC plots, and TensorBoard's, where that is asked for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dvclive import Live

from tasks.training.loop import OnRow
from tasks.training.tensorboard import TensorBoard

# dvclive's name for each figure of a history row.
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
def training_curves(plots_train: Path, tensorboard: Path | None) -> Iterator[OnRow]:
    """What writes a row of the history to `plots_train` and, if it is not None, to `tensorboard`."""
    told = 0.0
    board = TensorBoard(tensorboard) if tensorboard else None
    with Live(str(plots_train), dvcyaml=None, save_dvc_exp=False, report=None, monitor_system=False) as live:

        def on(row: dict[str, Any]) -> None:
            live.step = row["step"]
            scalars = {curve: row[name] for name, curve in _CURVES.items() if name in row}
            for curve, value in scalars.items():
                live.log_metric(curve, value)
            nonlocal told
            # Writing dvclive's summary takes milliseconds, which short steps would feel.
            if "mAP" in row or time.monotonic() - told > _SUMMARY_EVERY_S:
                live.sync()
                told = time.monotonic()
            if board:
                board.log(row["step"], scalars)

        yield on
