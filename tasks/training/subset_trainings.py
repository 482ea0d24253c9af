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
    those that are new. Trainings by other params, of other records, of another number of sizes or by other
    code are removed there.

    Args:
        params: how each training is done.
        records: the images to train on.
        held_out: the images to detect in, from the same folder.
        trainings: on which images of `records`, at least one; as many of each seed.
        pipeline_config: what the configure stage wrote.
        base: what the checkpoint stage wrote.
        work: the folder that keeps what has been done.

    Raises:
        BusyError: another process works there.
        TrainingError: a loss is not finite.
        CheckpointError: the base is damaged, or fills nothing of the backbone.
    """
    # Those of one seed decide whether features are computed: another number of seeds must not change what is learned.
    of_a_seed = sum(training.seed == trainings[0].seed for training in trainings)
    facts = f"{run_key(params, pipeline_config, records.folder, base)} {of_a_seed}"
    key = hashlib.sha256(facts.encode()).hexdigest()[:16]
    busy = BusyError(f"{work}: another process is using this folder; wait for it, or end it")
    with unfinished_work(work, key, busy) as folder:
        files = [folder / f"{training.key}.json" for training in trainings]
        missing = [place for place, file in enumerate(files) if not file.is_file()]
        done = len(trainings) - len(missing)
        if done:
            print(f"learning-curve: {counted(done, 'training')} of {len(trainings)} done before", flush=True)
        if missing:
            repeated = RepeatedTraining(
                params,
                records,
                pipeline_config=pipeline_config,
                base=base,
                work=folder,
                trainings=of_a_seed,
                detected=held_out,
            )
            repeated.announce(
                "learning-curve", repeated.seconds(), len(missing), len(missing) * len(held_out.images.images)
            )
            for place in missing:
                training = trainings[place]
                print(f"learning-curve: training {place + 1} of {len(trainings)}: {training.title}", flush=True)
                repeated.train(training.chosen, training.key, seed=training.seed)
                write_detections(repeated.detect_all(), held_out.images, files[place])
                repeated.forget(training.key)
        return [read_detections(file, held_out.images) for file in files]
