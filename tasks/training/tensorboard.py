"""The curves of a training run for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf


class TensorBoard:
    """Writes scalars into a folder, and removes earlier ones: a resumed run writes its whole history again."""

    def __init__(self, folder: Path) -> None:
        """Start over in `folder`; files that TensorBoard does not read stay."""
        for path in folder.glob("events.out.tfevents.*"):
            path.unlink()
        self._writer = tf.summary.create_file_writer(str(folder))

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """One step's values, by curve."""
        with self._writer.as_default(step=step):
            for curve, value in scalars.items():
                tf.summary.scalar(curve, value)
        self._writer.flush()
