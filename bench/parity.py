"""The losses of the first steps: this pipeline's loop beside the stock `model_lib_v2.eager_train_step`.

Both begin with the same values and get the same made-up batches, the same schedule and momentum, and clip alike. Weight
decay is left out of the stock loss: this pipeline has none.

The two go on apart, so that a step that changed the weights otherwise would show in all that follow. A second stage is
compared otherwise: it learns from the best of proposals that are nearly equal at first, so that rounding in the weights
soon decides which those are. There each step begins with the stock loop's weights, on both sides, and what it makes of
them is compared, too.
"""

import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bench.processes import ROOT
from bench.stock_loop import StockLoop
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
# The first steps agree to the bit. Later ones magnify rounding, and the more so the faster the weights move.
RATE = 3e-5
_CLASSES, _BATCH, _MAX_BOXES, _SEED = 3, 2, 4, 5


def compare_losses(model: str, side_px: int | None, folder: Path, rate: float = RATE) -> list[str]:
    """Lines that say how far the losses of the first steps lie apart.

    Raises:
        ConfigError: no such model, or a size that it cannot have.
    """
    both = both_loops(model, side_px, folder, rate)
    apart = np.abs(both.ours - both.stock) / np.abs(both.stock)
    line = (
        f"parity: {model}, {len(both.ours)} steps of {_BATCH} images: loss {both.stock[0]:.4f} to "
        f"{both.stock[-1]:.4f}; the largest difference to the stock loop is {apart.max():.1e} of the loss "
        f"(step {int(apart.argmax()) + 1})"
    )
    if both.update_error is None:
        return [line]
    return [
        f"{line}, each step from the same weights; the weights are apart after a step by at most "
        f"{both.update_error:.1e} of its length"
    ]


class BothLoops(NamedTuple):
    """What both loops did.

    Attributes:
        ours: `(STEPS,)` total losses of this pipeline's loop.
        stock: the same of the stock loop.
        update_error: where each step begins with the same weights, how far apart the weights are after it (the norm of
            all differences), as a share of how far it moved them: the largest of all steps; else None.
    """

    ours: npt.NDArray[np.float64]
    stock: npt.NDArray[np.float64]
    update_error: float | None


def both_loops(model: str, side_px: int | None, folder: Path, rate: float = RATE) -> BothLoops:
    """Run the first steps of both loops.

    Raises:
        ConfigError: no such model, or a size that it cannot have.
    """
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
    network, stock = _network(config), StockLoop(_network(config), config, _SEED)
    batches = made_up_batches(network)
    together = _Together(network, stock, batches) if network.architecture.predicts_with_groundtruth else None
    ours = our_losses(network, train, batches, together.after_step if together else lambda: None)
    losses = together.losses if together else [stock.step(batch) for batch in batches]
    return BothLoops(ours, np.array(losses), together.update_error if together else None)


def our_losses(
    network: Network, train: "TrainParams", batches: Sequence[Batch], after_step: Callable[[], None]
) -> npt.NDArray[np.float64]:
    """The total loss of each step of `Trainer`, with nothing frozen."""
    variables = [variable for variable in network.variables.values() if variable.trainable]
    replicas = Replicas(tf.distribute.get_strategy())
    trainer = Trainer(Copies(network, network), replicas, TwoRates(train, variables, []), train, frozen=set())
    columns = [tf.stack([batch[column] for batch in batches]) for column in range(len(Batch._fields))]
    dataset = tf.data.Dataset.from_tensor_slices(Batch(*columns))
    progress = Progress()
    with tempfile.TemporaryDirectory() as folder:
        trainer.run(dataset, ResumeFolder(Path(folder), "parity"), progress, lambda row: after_step(), lambda: None)
    return np.array([row.loss for row in progress.steps])


class _Together:
    """Makes the stock step after each of ours, from the same weights, and hands ours the weights that it leaves.

    Attributes:
        losses: of the stock steps so far.
        update_error: see `BothLoops`.
    """

    def __init__(self, network: Network, stock: StockLoop, batches: Sequence[Batch]) -> None:
        """Both have the same weights, and get `batches`."""
        self._network, self._stock, self._batches = network, stock, iter(batches)
        self.losses: list[float] = []
        self.update_error = 0.0

    def after_step(self) -> None:
        """Both are to begin the next step with what the stock step makes of the weights."""
        before = self._values(self._stock.network)
        self.losses.append(self._stock.step(next(self._batches)))
        wanted, own = self._values(self._stock.network), self._values(self._network)
        error = _distance(wanted, own) / _distance(wanted, before)
        self.update_error = max(self.update_error, error)
        for key, value in zip(sorted(self._network.variables), wanted, strict=True):
            self._network.variables[key].assign(value)

    @staticmethod
    def _values(network: Network) -> list[npt.NDArray[np.float32]]:
        return [network.variables[key].numpy() for key in sorted(network.variables)]


def _distance(one: list[npt.NDArray[np.float32]], other: list[npt.NDArray[np.float32]]) -> float:
    return math.sqrt(sum(float(np.square(a - b, dtype=np.float64).sum()) for a, b in zip(one, other, strict=True)))


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
