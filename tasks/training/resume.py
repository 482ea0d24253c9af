"""The folder that a training run is resumed from after it was killed at any moment.

States are written under a new name, then `current.json` is renamed into place: it names only complete files.
"""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf
from pydantic import TypeAdapter

from tasks.errors import TrainingError
from tasks.ground.files import CODE, sha256_of, write_json
from tasks.ground.unfinished import unfinished_work
from tasks.training.progress import Progress

if TYPE_CHECKING:
    from tasks.params import TrainParams
    from tasks.training.replicas import Replicas


_PROGRESS = TypeAdapter(Progress)


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
        busy = TrainingError(f"{self._root}: another training process is using this folder; wait for it, or end it")
        with unfinished_work(self._root, self._folder.name, busy):
            yield

    def save(self, state: tf.train.Checkpoint, progress: Progress) -> None:
        """Write the state of `progress.step`, then make it the one to resume from."""
        write_checkpoint(state, self._folder / f"state-{progress.step}")
        write_json(self._folder / "current.json", _PROGRESS.dump_python(progress, mode="json"))
        self._remove_all_but("state", progress.step)

    def restore(self, state: tf.train.Checkpoint) -> Progress:
        """Load the last complete state into `state`; a fresh `Progress` where there is none."""
        progress = self.saved()
        if progress.step:
            self.load(state, progress.step)
        return progress

    def saved(self) -> Progress:
        """How far the last complete state had come; a fresh `Progress` where there is none."""
        current = self._folder / "current.json"
        return _PROGRESS.validate_json(current.read_bytes()) if current.exists() else Progress()

    def load(self, state: tf.train.Checkpoint, step: int) -> None:
        """Load the state after `step` into `state`, which must have what was saved."""
        state.read(str(self._folder / f"state-{step}")).assert_consumed()

    def save_border(self, weights: tf.train.Checkpoint, step: int) -> None:
        """Write the weights that a phase ended with after `step`; they stay until the run has ended."""
        write_checkpoint(weights, self._folder / f"border-{step}")

    def load_border(self, weights: tf.train.Checkpoint, step: int) -> None:
        """Load the weights that a phase ended with after `step`."""
        weights.read(str(self._folder / f"border-{step}")).assert_consumed()

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
        """Remove everything; call it once the run has ended and its results are written."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_all_but(self, kind: str, step: int) -> None:
        for path in self._folder.glob(f"{kind}-*"):
            if path.is_dir():  # TensorFlow's, of an interrupted write
                shutil.rmtree(path)
            elif path.name.split(".")[0] != f"{kind}-{step}":
                path.unlink()


@contextmanager
def resumed(folder: ResumeFolder, replicas: "Replicas") -> Iterator[Progress]:
    """How far the run has come, by the last state saved; the chief holds the lock of `folder` meanwhile.

    Raises:
        TrainingError: another process trains in the folder, or a worker does not see the chief's state.
    """
    with ExitStack() as locks:
        if replicas.chief:
            locks.enter_context(folder.lock())
        # Machines share this folder: the others read it once the chief has removed the states of other runs.
        progress = folder.saved() if replicas.chief else Progress()
        step = replicas.agree(progress.step)
        if not replicas.chief and step:
            progress = folder.saved()
            if progress.step != step:
                raise TrainingError(
                    f"{folder.path}: the state after step {step} is missing on this machine; share the folder among "
                    "all machines"
                )
        yield progress


def run_key(params: "TrainParams", pipeline_config: Path, records: Path, base: Path) -> str:
    """A hash of all that decides the result: params, config, data, weights, code, TensorFlow and the machine's kind."""
    # All of the project's code: one more clean start is cheaper than a run continued by other rules.
    code = sorted(CODE.rglob("*.py"))
    inputs = [pipeline_config, *sorted(records.iterdir()), *sorted(p for p in base.rglob("*") if p.is_file()), *code]
    # Sums in another order are other bits, and another version may keep its states otherwise.
    computed_by = [platform.machine(), tf.__version__, os.environ.get("TF_ENABLE_ONEDNN_OPTS", "")]
    facts = [params.model_dump_json(), *computed_by, *(f"{p.name} {sha256_of(p)}" for p in inputs)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


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
            f"{prefix}: could not be written ({why}): free space on the disk, then run it again; training continues "
            "from the last saved state"
        ) from error
