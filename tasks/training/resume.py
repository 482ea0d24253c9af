"""The folder a training run can be resumed from after it was killed at any moment.

States are written under a new name, then `current.json` is renamed into place: it always speaks of complete files.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf

from tasks.artifacts.training import StopReason
from tasks.errors import TrainingError
from tasks.ground.files import write_json
from tasks.ground.unfinished import unfinished


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
    history: list[dict[str, Any]] = field(default_factory=list)


class ResumeFolder:
    """States of one training run below `root`/`key`; states of other runs there are removed."""

    def __init__(self, root: Path, key: str) -> None:
        """Use `root`; call `lock` before anything else."""
        self._root, self._folder = root, root / key

    @property
    def path(self) -> Path:
        """Where the states are."""
        return self._folder

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder; a second trainer in it would overwrite the first one's states.

        Raises:
            TrainingError: another process holds it.
        """
        busy = TrainingError(f"{self._root}: another training process is at work here; wait for it, or end it")
        with unfinished(self._root, self._folder.name, busy):
            yield

    def save(self, state: tf.train.Checkpoint, progress: Progress) -> None:
        """Write the state of `progress.step`, then make it the one to resume from."""
        write_checkpoint(state, self._folder / f"state-{progress.step}")
        write_json(self._folder / "current.json", asdict(progress))
        self._remove_all_but("state", progress.step)

    def restore(self, state: tf.train.Checkpoint) -> Progress:
        """Load the last complete state into `state`; a fresh `Progress` where there is none."""
        current = self._folder / "current.json"
        if not current.exists():
            return Progress()
        progress = Progress(**json.loads(current.read_text(encoding="utf-8")))
        state.read(str(self._folder / f"state-{progress.step}")).assert_consumed()
        return progress

    def save_best(self, weights: tf.train.Checkpoint, step: int) -> None:
        """Write the best weights so far; older ones stay until `current.json` no longer names them."""
        write_checkpoint(weights, self._folder / f"best-{step}")

    def best(self, step: int) -> Path:
        """The checkpoint prefix of the best weights."""
        return self._folder / f"best-{step}"

    def forget_old_best(self, step: int) -> None:
        """Remove best weights other than those of `step`; call it once `save` has named `step`."""
        self._remove_all_but("best", step)

    def clear(self) -> None:
        """Remove everything: the run has ended and its results stand elsewhere."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_all_but(self, kind: str, step: int) -> None:
        for path in self._folder.glob(f"{kind}-*"):
            if path.is_dir():  # TensorFlow's, of a write that was broken off
                shutil.rmtree(path)
            elif path.name.split(".")[0] != f"{kind}-{step}":
                path.unlink()


def write_checkpoint(checkpoint: tf.train.Checkpoint, prefix: Path) -> None:
    """Write a TensorFlow checkpoint.

    Raises:
        TrainingError: it could not be written, mostly because the disk is full.
    """
    try:
        checkpoint.write(str(prefix))
    except tf.errors.OpError as error:
        why = str(error.message).strip().splitlines()[-1][-200:]
        raise TrainingError(
            f"{prefix}: could not be written ({why}): make room on the disk, then run it again; training goes on from "
            "the last saved state"
        ) from error
