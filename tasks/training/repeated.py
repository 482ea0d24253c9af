"""One network trained again and again, each time on other images of the same records.

The network, its traced step and the features of its frozen layers are made once; a training is then little more than
its steps. Its result does not depend on the trainings before it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.detector.initialise import initialise
from tasks.detector.restore import restore
from tasks.detector.runtime import prepare_runtime
from tasks.errors import TrainingError
from tasks.ground.figures import duration_text
from tasks.ground.text import counted
from tasks.model.schedule import Phase
from tasks.training.balance import shares
from tasks.training.estimate import DETECTING
from tasks.training.feeding import BatchSource
from tasks.training.mosaic import most_boxes
from tasks.training.preparation import prepare_run, with_steps
from tasks.training.progress import RowListener
from tasks.training.replicas import Replicas
from tasks.training.resume import ResumeFolder
from tasks.training.validation import RecordsDetector

if TYPE_CHECKING:
    from tasks.params import TrainParams


@dataclass(frozen=True)
class LabelledRecords:
    """Images in TFRecords, with their labels.

    Attributes:
        folder: where they and their label map lie.
        shards: the files.
        images: what they hold, in their order.
    """

    folder: Path
    shards: list[Path]
    images: Dataset


class RepeatedTraining:
    """Trains one network several times, on some of the images of the same records."""

    def __init__(
        self,
        params: "TrainParams",
        records: LabelledRecords,
        *,
        pipeline_config: Path,
        base: Path,
        work: Path,
        trainings: int = 1,
        detected: LabelledRecords | None = None,
    ) -> None:
        """Build the network and compute what its frozen layers give for all images.

        Args:
            params: how each training is done, up to its last step; there is no validation, no second phase, no average
                and no mosaic, which would show images that are not chosen.
            records: the images.
            pipeline_config: what the configure stage wrote.
            base: what the checkpoint stage wrote.
            work: a folder that nobody else uses, for states of unfinished trainings and features.
            trainings: how many there will be, for choosing whether features are computed.
            detected: the images that `detect` detects in; None: those of `records`.

        Raises:
            CheckpointError: the base is damaged, or fills nothing of the backbone.
        """
        plain = {"second_phase": "off", "ema_decay": 0.0, "patience": None, "max_minutes": None, "decay_steps": None}
        augment = params.augment.model_copy(update={"mosaic": 0.0})
        params = params.model_copy(update={**plain, "eval_every": params.steps, "augment": augment})
        prepare_runtime(params.seed, params.precision)
        self._replicas = replicas = Replicas(tf.distribute.get_strategy())
        self._images = images = records.images.images
        self._work, self._base, self._params, self._classes = work, base, params, records.images.classes
        self._run = prepare_run(
            Phase(1, params, 0, is_last=True),
            pipeline_config,
            base,
            records.images.classes,
            len(images),
            replicas,
            trainings=trainings,
        )
        network = self._run.network
        self._source = BatchSource(
            self._run.feed,
            params,
            records.shards,
            replicas,
            resizer=network.resizer,
            max_boxes=most_boxes([len(image.classes) for image in images], params.augment.mosaic),
            cache_folder=work,
        )
        detected = detected or records
        self._detector = RecordsDetector(network, detected.shards, detected.images.images, self._classes)

    @property
    def steps(self) -> int:
        """Of each training."""
        return self._run.phase.params.steps

    def set_steps(self, steps: int) -> None:
        """Have each training from now on take so many steps; its step is traced anew."""
        if steps != self.steps:
            self._run = with_steps(self._run, steps, self._replicas)

    def seconds(self) -> tuple[float, float]:
        """Seconds that a step takes on this machine, and detecting in one image."""
        trainer, trunk = self._run.trainer, self._run.feed.trunk
        step_s = trainer.seconds_per_step(self._source.batches(0, np.ones(len(self._images))))
        image_s = DETECTING * step_s / self._run.phase.params.batch_size
        return step_s, image_s + (trunk.image_seconds() if trunk else 0.0)

    def announce(self, command: str, seconds: tuple[float, float], trainings: int, images: int) -> None:
        """Print how long so many trainings take, after which is detected in `images` in all; `seconds` as above."""
        step_s, image_s = seconds
        total_s = trainings * self.steps * step_s + images * image_s
        each = f"{counted(trainings, 'training')} of {self.steps} steps of {step_s:.2g} s"
        print(f"{command}: about {duration_text(total_s)} from here on this machine ({each})", flush=True)

    def train(
        self,
        chosen: npt.NDArray[np.bool_],
        name: str,
        listener: RowListener = lambda row: None,
        *,
        seed: int | None = None,
    ) -> None:
        """Train on the images that `chosen`, `(N,)`, is true for, from the last saved step of an unfinished `name`.

        Args:
            chosen: of the records' images.
            name: of the folder for its states.
            listener: called with the figures of each step.
            seed: of the values of new layers and of the order of images; None: that of the params. Features of frozen
                layers are the same for every seed.

        Raises:
            TrainingError: no image is chosen, or a loss is not finite.
        """
        if not chosen.any():
            raise TrainingError(f"{name}: no image to train on")
        self._begin_anew(seed)
        trainer, folder = self._run.trainer, ResumeFolder(self._work, name)
        folder.path.mkdir(parents=True, exist_ok=True)
        progress = folder.restore(trainer.state)
        if progress.stopped_by is None:
            batches = self._source.batches(progress.step, self._shares(chosen), seed)
            trainer.run(batches, folder, progress, listener, lambda: None)

    def forget(self, name: str) -> None:
        """Remove the states of a training that has ended and whose result is written."""
        ResumeFolder(self._work, name).clear()

    def detect(self, chosen: npt.NDArray[np.bool_]) -> list[Detections]:
        """What the network as trained last finds in the images that `chosen`, `(N,)`, is true for, in their order."""
        return self._detector(chosen)

    def detect_all(self) -> list[Detections]:
        """What the network as trained last finds in all of them."""
        return self._detector()

    def _shares(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """How often each image comes in an epoch, `(N,)`, N in all: by the classes of those that are chosen."""
        own = shares([self._images[int(i)] for i in np.flatnonzero(chosen)], self._params.class_balance)
        every = np.zeros(len(chosen))
        every[chosen] = own * (len(chosen) / len(own))
        return every

    def _begin_anew(self, seed: int | None) -> None:
        """Give every variable the value that it has before the first step with this seed."""
        network = self._run.network
        for key, variable in network.variables.items():
            variable.assign(self._run.initial_values[key])
        if seed not in (None, self._params.seed):
            initialise(network, network.variables, seed)
            restore(network, self._base, self._classes)
        for variable in self._run.trainer.optimizer_variables:
            variable.assign(np.zeros(variable.shape, variable.dtype.as_numpy_dtype))
