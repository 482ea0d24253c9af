"""Detections in held-out images after trainings on several subsets of the training images, each training resumable."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tasks.dataset.coco_json import read_detections, write_detections
from tasks.dataset.detections import Detections
from tasks.errors import BusyError
from tasks.ground.text import counted
from tasks.ground.unfinished import unfinished_work
from tasks.model.schedule import Phase
from tasks.training.estimate import Estimator, duration
from tasks.training.progress import Progress
from tasks.training.repeated import LabelledRecords, RepeatedTraining
from tasks.training.resume import run_key

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class SubsetTraining:
    """One training.

    Attributes:
        title: what it is, in words.
        chosen: `(N,)` which of the training images it learns from.
        seed: of everything random.
    """

    title: str
    chosen: npt.NDArray[np.bool_]
    seed: int

    @property
    def key(self) -> str:
        """A name of its own for these images and this seed."""
        content = np.packbits(self.chosen).tobytes() + f" {len(self.chosen)} {self.seed}".encode()
        return hashlib.sha256(content).hexdigest()[:16]


class TrainingsEstimator(Estimator):
    """Says once how long all trainings take, from a few timed steps of the first."""

    def __init__(self, params: "TrainParams", trainings: int, detected: int) -> None:
        """Estimate so many trainings, each of which is followed by detecting in so many images."""
        super().__init__([Phase(1, params, 0, is_last=True)], detected)
        self._trainings, self._is_announced = trainings, False

    def is_due(self, progress: Progress) -> bool:
        """Before the first step of this process, however few there are."""
        return not self._is_announced and progress.stopped_by is None

    def announce(self, progress: Progress, step_s: float, traced_s: float, trunk_s: float) -> None:
        """Print it."""
        self._is_announced = True
        params = self._phases[0].params
        # Detecting in an image is about that share of a step for it: see `estimate`.
        detecting_s = self._val_images * step_s / params.batch_size
        steps = self._trainings * params.steps - progress.step
        seconds = steps * step_s + self._trainings * detecting_s + traced_s
        print(
            f"learning-curve: about {duration(seconds)} on this machine ({counted(self._trainings, 'training')} of "
            f"{params.steps} steps of {step_s:.2g} s, each with {counted(self._val_images, 'image')} to detect in)",
            flush=True,
        )


def detect_after_each(
    params: "TrainParams",
    records: LabelledRecords,
    held_out: LabelledRecords,
    trainings: Sequence[SubsetTraining],
    *,
    pipeline_config: Path,
    base: Path,
    work: Path,
) -> list[list[Detections]]:
    """Detections in the images of `held_out` by each training, in its order.

    What was detected stays in `work`: a run that was killed goes on where it was, and one with more trainings does
    those that are new. Trainings by other params, of other records or by other code are removed there.

    Args:
        params: how each training is done.
        records: the images to train on.
        held_out: the images to detect in, from the same folder.
        trainings: on which images of `records`.
        pipeline_config: what the configure stage wrote.
        base: what the checkpoint stage wrote.
        work: the folder that keeps what has been done.

    Raises:
        BusyError: another process works there.
        TrainingError: a loss is not finite.
        CheckpointError: the base is damaged, or fills nothing of the backbone.
    """
    key = run_key(params, pipeline_config, records.folder, base)
    busy = BusyError(f"{work}: another process is using this folder; wait for it, or end it")
    with unfinished_work(work, key, busy) as folder:
        files = [folder / f"{training.key}.json" for training in trainings]
        missing = [place for place, file in enumerate(files) if not file.is_file()]
        done = len(trainings) - len(missing)
        if done:
            print(f"learning-curve: {counted(done, 'training')} of {len(trainings)} done before", flush=True)
        if missing:
            repeated = RepeatedTraining(
                params, records, pipeline_config=pipeline_config, base=base, work=folder, detected=held_out
            )
            estimator = TrainingsEstimator(params, len(missing), len(held_out.images.images))
            for place in missing:
                training = trainings[place]
                print(f"learning-curve: training {place + 1} of {len(trainings)}: {training.title}", flush=True)
                repeated.train(training.chosen, training.key, seed=training.seed, estimator=estimator)
                write_detections(repeated.detect_all(), held_out.images, files[place])
                repeated.forget(training.key)
        return [read_detections(file, held_out.images) for file in files]
