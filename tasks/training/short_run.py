"""A training of a few steps on made-up images, by the real loop: whether and how fast a device trains."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tasks.detector.canvas import whole_canvas
from tasks.detector.network import Network
from tasks.training.examples import Batch
from tasks.training.loop import Trainer
from tasks.training.optimizing import TwoRates
from tasks.training.progress import Progress, StepRow
from tasks.training.replicas import Copies, Replicas
from tasks.training.resume import ResumeFolder

if TYPE_CHECKING:
    from tasks.params import TrainParams

_MAX_BOXES = 8


def train_on_made_up_images(network: Network, train: "TrainParams", folder: Path) -> list[StepRow]:
    """Train every variable of `network` on one batch; a state is saved in `folder`. The figures of each step."""
    replicas = Replicas(tf.distribute.get_strategy())
    variables = [variable for variable in network.variables.values() if variable.trainable]
    trainer = Trainer(Copies(network, network), replicas, TwoRates(train, [], variables), train, frozen=set())
    progress = Progress()
    batches = tf.data.Dataset.from_tensors(_batch(network, train)).repeat()
    trainer.run(batches, ResumeFolder(folder, "trial"), progress, lambda row: None, lambda: None)
    return progress.steps


def _batch(network: Network, train: "TrainParams") -> Batch:
    rng, images = np.random.default_rng(train.seed), train.batch_size
    corner = rng.uniform(0.0, 0.5, (images, _MAX_BOXES, 2))
    sides = rng.uniform(0.2, 0.5, (images, _MAX_BOXES, 2))
    return Batch(
        names=tf.constant([f"{i}.jpg" for i in range(images)]),
        images=tf.constant(rng.uniform(0.0, 255.0, (images, network.height, network.width, 3)), tf.float32),
        boxes=tf.constant(np.concatenate([corner, corner + sides], axis=2), tf.float32),
        classes=tf.constant(rng.integers(0, network.num_classes, (images, _MAX_BOXES)), tf.int32),
        weights=tf.ones((images, _MAX_BOXES), tf.float32),
        shapes=tf.tile([whole_canvas(network.resizer)], [images, 1]),
    )


def weights_digest(network: Network) -> str:
    """The same where every bit of every variable is."""
    digest = hashlib.sha256()
    for key in sorted(network.variables):
        digest.update(network.variables[key].numpy().tobytes())
    return digest.hexdigest()
