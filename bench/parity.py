"""The losses of the first steps: this pipeline's loop beside the stock `model_lib_v2.eager_train_step`.

Both begin with the same values and get the same made-up batches, the same schedule and momentum, and clip alike. Weight
decay is left out of the stock loss: this pipeline has none.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bench.processes import ROOT
from bench.stock_fixes import fix_stock_loop
from tasks.detector.canvas import true_shape
from tasks.detector.initialise import initialise
from tasks.detector.model_proto import pipeline_proto
from tasks.detector.network import Network, build_network
from tasks.detector.pipeline_config import PipelineConfig, fill_in
from tasks.detector.runtime import prepare_runtime
from tasks.model.definitions import find_model
from tasks.params import read_params
from tasks.training.examples import Batch
from tasks.training.loop import Trainer
from tasks.training.optimizing import TwoRates
from tasks.training.progress import Progress
from tasks.training.replicas import Copies, Replicas
from tasks.training.resume import ResumeFolder

if TYPE_CHECKING:
    from tasks.params import TrainParams

STEPS = 20
# The first steps agree to the bit. Later ones magnify rounding, and the more so the faster the weights move; in a
# second stage rounding decides which proposals it learns from.
RATE = 3e-5
_CLASSES, _BATCH, _MAX_BOXES, _SEED = 3, 2, 4, 5


def compare_losses(model: str, side_px: int | None, folder: Path, rate: float = RATE) -> list[str]:
    """Lines that say how far the losses of the first steps lie apart.

    Raises:
        ConfigError: no such model, or a size that it cannot have.
    """
    ours, stock = both_losses(model, side_px, folder, rate)
    apart = np.abs(ours - stock) / np.abs(stock)
    return [
        f"parity: {model}, {len(ours)} steps of {_BATCH} images: loss {stock[0]:.4f} to {stock[-1]:.4f}; the largest "
        f"difference to the stock loop is {apart.max():.1e} of the loss (step {int(apart.argmax()) + 1})"
    ]


def both_losses(model: str, side_px: int | None, folder: Path, rate: float = RATE) -> tuple[Any, Any]:
    """`(STEPS,)` total losses of this pipeline's loop and of the stock loop."""
    params = read_params(ROOT / "params.yaml")
    train = params.train.model_copy(
        update={
            "steps": STEPS, "eval_every": STEPS, "save_every": STEPS, "batch_size": _BATCH, "warmup_steps": 5,
            "learning_rate": rate, "optimizer": "momentum", "seed": _SEED, "patience": None, "max_minutes": None,
            "decay_steps": None, "ema_decay": 0.0,
        }
    )  # fmt: skip
    prepare_runtime(train.seed, "float32")
    definition = find_model(model, side_px)
    if isinstance(definition, Path):
        raise TypeError(f"{model}: parity is compared for models that params.yaml names")
    config = pipeline_proto(definition)
    fill_in(config, num_classes=_CLASSES, train=train, export=params.export, records=folder, fine_tune_checkpoint=None)
    return our_losses(_network(config), train), stock_losses(_network(config), config)


def our_losses(network: Network, train: "TrainParams") -> Any:
    """The total loss of each step of `Trainer`, with nothing frozen."""
    variables = [variable for variable in network.variables.values() if variable.trainable]
    replicas = Replicas(tf.distribute.get_strategy())
    trainer = Trainer(Copies(network, network), replicas, TwoRates(train, variables, []), train, frozen=set())
    batches = made_up_batches(network)
    columns = [tf.stack([batch[column] for batch in batches]) for column in range(len(Batch._fields))]
    dataset = tf.data.Dataset.from_tensor_slices(Batch(*columns))
    progress = Progress()
    with tempfile.TemporaryDirectory() as folder:
        trainer.run(dataset, ResumeFolder(Path(folder), "parity"), progress, lambda row: None, lambda: None)
    return np.array([row.loss for row in progress.steps])


def stock_losses(network: Network, config: PipelineConfig) -> Any:
    """The same of the stock step."""
    fix_stock_loop()
    from object_detection import model_lib_v2  # noqa: PLC0415 - cannot be imported before the fix
    from object_detection.builders import optimizer_builder  # noqa: PLC0415

    step = tf.Variable(0, trainable=False, dtype=tf.int64)
    optimizer, _ = optimizer_builder.build(config.train_config.optimizer, global_step=step)

    def one_step(features: dict[str, tf.Tensor], labels: dict[str, tf.Tensor]) -> tf.Tensor:
        # A second stage draws the proposals that it learns from: both sides draw the same.
        with network.architecture.seeded(_SEED, step):
            losses = model_lib_v2.eager_train_step(
                network.model,
                features,
                labels,
                unpad_groundtruth_tensors=False,
                optimizer=optimizer,
                training_step=step,
                add_regularization_loss=False,
                clip_gradients_value=config.train_config.gradient_clipping_by_norm,
            )
        step.assign_add(1)
        return losses["Loss/total_loss"]

    traced = tf.function(one_step, autograph=False)
    losses = []
    for batch in made_up_batches(network):
        features = {"image": network.architecture.preprocess(batch.images), "true_image_shape": batch.shapes}
        labels = {
            "groundtruth_boxes": batch.boxes,
            "groundtruth_classes": tf.one_hot(batch.classes, _CLASSES) * batch.weights[..., tf.newaxis],
            "groundtruth_weights": batch.weights,
            "num_groundtruth_boxes": tf.cast(tf.reduce_sum(batch.weights, axis=1), tf.int32),
        }
        losses.append(float(traced(features, labels)))
    return np.array(losses)


def _network(config: PipelineConfig) -> Network:
    network = build_network(config, is_training=True)
    initialise(network, network.variables, _SEED)
    return network


def made_up_batches(network: Network) -> Sequence[Batch]:
    """A batch for each step: smooth images, and bright boxes where the groundtruth has boxes."""
    rng = np.random.default_rng(_SEED)
    return [_batch(network, rng) for _ in range(STEPS)]


def _batch(network: Network, rng: np.random.Generator) -> Batch:
    height, width = network.resizer.canvas
    coarse = rng.uniform(0, 160, (_BATCH, 8, 8, 3)).astype(np.float32)
    images = tf.image.resize(coarse, (height, width)).numpy()
    corners = rng.uniform(0.0, 0.6, (_BATCH, _MAX_BOXES, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.15, 0.4, corners.shape)], axis=2)
    counts = rng.integers(1, _MAX_BOXES + 1, _BATCH)
    weights = (np.arange(_MAX_BOXES) < counts[:, None]).astype(np.float32)
    classes = rng.integers(0, _CLASSES, (_BATCH, _MAX_BOXES)) * weights.astype(np.int64)
    for image, own, names, number in zip(images, boxes, classes, counts, strict=True):
        for (top, left, bottom, right), name in zip(own[:number], names[:number], strict=True):
            rows, columns = slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))
            image[rows, columns, name] = 250.0
    shape = true_shape(tf.constant([height, width]))
    return Batch(
        names=tf.constant([f"{place}.jpg" for place in range(_BATCH)]),
        images=tf.constant(images),
        boxes=tf.constant(boxes * weights[..., None], tf.float32),
        classes=tf.constant(classes, tf.int32),
        weights=tf.constant(weights),
        shapes=tf.tile([shape], [_BATCH, 1]),
    )
