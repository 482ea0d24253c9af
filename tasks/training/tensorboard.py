"""The curves of a training run for TensorBoard."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf


class TensorBoard:
    """Writes scalars below a folder, which it empties first: a resumed run writes its whole history again."""

    def __init__(self, folder: Path) -> None:
        """Start over in `folder`."""
        shutil.rmtree(folder, ignore_errors=True)
        self._writer = tf.summary.create_file_writer(str(folder))

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """One step's values, by curve."""
        with self._writer.as_default(step=step):
            for curve, value in scalars.items():
                tf.summary.scalar(curve, value)
        self._writer.flush()
