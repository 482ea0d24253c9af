"""Detections in every labelled image by a network that has not learned from it: K short trainings, each without a fold.

The network, its traced step and the features of its frozen layers are made once. Every fold begins with the values that
the first began with, so that its result does not depend on the folds before it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.dataset.coco_json import read_detections, write_detections
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.detector.runtime import prepare_runtime
from tasks.errors import TrainingError
from tasks.ground.unfinished import unfinished_work
from tasks.model.schedule import Phase
from tasks.training.feeding import BatchSource
from tasks.training.mosaic import most_boxes
from tasks.training.preparation import prepare_run
from tasks.training.replicas import Replicas
from tasks.training.resume import ResumeFolder, run_key
from tasks.training.validation import RecordsDetector

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class LabelledImages:
    """Images in TFRecords, with their labels.

    Attributes:
        records: the folder that they and their label map lie in.
        shards: the files, in the order of `images`.
        dataset: the images.
        fold: int64 `(N,)` the fold of each, from 0.
    """

    records: Path
    shards: list[Path]
    dataset: Dataset
    fold: npt.NDArray[np.int64]

    @property
    def folds(self) -> int:
        """How many there are."""
        return int(self.fold.max()) + 1


def detect_out_of_fold(
    params: "TrainParams", labelled: LabelledImages, *, pipeline_config: Path, base: Path, work: Path
) -> list[Detections]:
    """Detections in each image, by a network trained on the images of the other folds.

    A run that was killed goes on: detections of folds that had ended are read from `work`, and the fold that had not
    continues from its last saved step.

    Args:
        params: how each fold is trained; there is no validation, no second phase and no average.
        labelled: the images and their folds.
        pipeline_config: what the configure stage wrote.
        base: what the checkpoint stage wrote.
        work: the folder that keeps what has been done.

    Raises:
        TrainingError: another process works there, or a loss is not finite.
        CheckpointError: nothing of the backbone was restored.
    """
    params = params.model_copy(update={"second_phase": "off", "ema_decay": 0.0, "eval_every": params.steps})
    facts = [run_key(params, pipeline_config, labelled.records, base), *labelled.fold.astype(str)]
    key = hashlib.sha256(" ".join(facts).encode()).hexdigest()[:16]
    busy = TrainingError(f"{work}: another process is using this folder; wait for it, or end it")
    with unfinished_work(work, key, busy) as folder:
        files = [folder / f"fold-{fold + 1}.json" for fold in range(labelled.folds)]
        missing = [fold for fold, file in enumerate(files) if not file.is_file()]
        if missing:
            trainer = _FoldTrainer(params, labelled, pipeline_config, base, folder)
            for fold in missing:
                write_detections(trainer.detect(fold), _images_of(labelled, fold), files[fold])
        return _in_order(labelled, [read_detections(file, _images_of(labelled, i)) for i, file in enumerate(files)])


class _FoldTrainer:
    """Trains one network again and again, each time from the same values and without another fold."""

    def __init__(
        self, params: "TrainParams", labelled: LabelledImages, pipeline_config: Path, base: Path, folder: Path
    ) -> None:
        images = labelled.dataset.images
        prepare_runtime(params.seed, params.precision)
        replicas = Replicas(tf.distribute.get_strategy())
        phase = Phase(1, params, 0, is_last=True)
        self._labelled, self._folder = labelled, folder
        self._run = prepare_run(phase, pipeline_config, base, labelled.dataset.classes, len(images), replicas)
        network = self._run.network
        self._source = BatchSource(
            self._run.feed,
            params,
            labelled.shards,
            replicas,
            size=(network.height, network.width),
            max_boxes=most_boxes([len(image.classes) for image in images], params.augment.mosaic),
            cache_folder=folder,
        )
        self._detect = RecordsDetector(network, labelled.shards, images, labelled.dataset.classes)

    def detect(self, fold: int) -> list[Detections]:
        """Train without `fold`, and detect in its images."""
        trainer, inside = self._run.trainer, self._labelled.fold == fold
        self._begin_anew()
        folder = ResumeFolder(self._folder, f"fold-{fold + 1}")
        folder.path.mkdir(exist_ok=True)
        progress = folder.restore(trainer.state)
        if progress.stopped_by is None:
            print(f"fold {fold + 1} of {self._labelled.folds}: {int(inside.sum())} images are left out", flush=True)
            shares = np.where(inside, 0.0, len(inside) / np.count_nonzero(~inside))
            trainer.run(self._source.batches(progress.step, shares), folder, progress, lambda row: None, lambda: None)
        detections = self._detect(inside)
        folder.clear()
        return detections

    def _begin_anew(self) -> None:
        """Give every variable the value that it had before the first step."""
        for key, variable in self._run.network.variables.items():
            variable.assign(self._run.initial_values[key])
        for variable in self._run.trainer.optimizer_variables:
            variable.assign(np.zeros(variable.shape, variable.dtype.as_numpy_dtype))


def _images_of(labelled: LabelledImages, fold: int) -> Dataset:
    dataset = labelled.dataset
    images = (dataset.images[int(i)] for i in np.flatnonzero(labelled.fold == fold))
    return Dataset(dataset.root, dataset.classes, tuple(images))


def _in_order(labelled: LabelledImages, by_fold: Sequence[Sequence[Detections]]) -> list[Detections]:
    queues = [iter(each) for each in by_fold]
    return [next(queues[fold]) for fold in labelled.fold]
