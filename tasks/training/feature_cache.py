"""What a trunk gives for every training image, kept in memory or on disk, and batches out of it.

Each image is kept as it is and in so many augmented copies. Which copy of which image comes when is a function of the
seed and the step alone, so that a resumed run goes on with the same batches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from tasks.errors import TrainingError
from tasks.training.balance import times_shown
from tasks.training.examples import Augment, Batch, augmented_copies
from tasks.training.trunk import Trunk

_COMPUTED_AT_A_TIME = 8


@dataclass(frozen=True)
class CachePlan:
    """How much is to be kept.

    Attributes:
        images: how many there are.
        copies: augmented ones of each, beside the image as it is.
        dtype: `float32` (exact) or `float16`.
        specs: what the trunk gives for one image.
    """

    images: int
    copies: int
    dtype: str
    specs: tuple[tf.TensorSpec, ...]

    @property
    def entries(self) -> int:
        """Images and copies."""
        return self.images * (1 + self.copies)

    @property
    def size(self) -> int:
        """Bytes in all."""
        numbers = sum(int(np.prod(spec.shape)) for spec in self.specs)
        return self.entries * numbers * np.dtype(self.dtype).itemsize


class FeatureCache:
    """Features of every image and copy.

    Entry `copy * images + number` is copy `copy` of image `number`; copy 0 is the image as it is.
    """

    def __init__(self, plan: CachePlan, folder: Path | None) -> None:
        """Room for `plan`: in memory, or below `folder` in files that are gone when the process ends."""
        self._plan = plan
        shapes = [(plan.entries, *spec.shape.as_list()) for spec in plan.specs]
        self._features = [_room(shape, plan.dtype, folder) for shape in shapes]
        self._labels: list[Any] = []

    def fill(
        self,
        trunk: Trunk,
        shards: Sequence[Path],
        *,
        size: tuple[int, int],
        max_boxes: int,
        augment: Augment,
        seed: int,
    ) -> None:
        """Compute everything once, with a progress bar; arguments as of `training_batches`."""
        plan = self._plan
        examples = augmented_copies(
            shards, images=plan.images, copies=plan.copies, size=size, max_boxes=max_boxes, augment=augment, seed=seed
        )
        done, labels = 0, []
        with tqdm(total=plan.entries, desc="computing the frozen part", unit="image") as bar:
            for batch in examples.batch(_COMPUTED_AT_A_TIME).prefetch(2):
                for kept, computed in zip(self._features, trunk.features(batch.images), strict=True):
                    kept[done : done + len(computed)] = computed.numpy()
                labels.append([tensor.numpy() for tensor in (batch.names, batch.boxes, batch.classes, batch.weights)])
                done += len(batch.names)
                bar.update(len(batch.names))
        if done != plan.entries:
            raise TrainingError(f"{len(shards)} shards hold {done} images and copies, {plan.entries} were expected")
        self._labels = [np.concatenate(column) for column in zip(*labels, strict=True)]

    def batches(
        self, *, batch_size: int, seed: int, start_step: int, shown: npt.NDArray[np.float64] | None = None
    ) -> tf.data.Dataset:
        """`Batch`es without end, from step `start_step` on, whose `images` are the features, as float32.

        `shown` is how often each image comes in an epoch; None: once.
        """
        names, boxes, classes, weights = self._labels

        def generate() -> Iterator[Batch]:
            for entries in picks(self._plan, batch_size=batch_size, shown=shown, seed=seed, start_step=start_step):
                features = tuple(np.asarray(kept[entries], dtype=np.float32) for kept in self._features)
                yield Batch(names[entries], features, boxes[entries], classes[entries], weights[entries])

        def spec(rows: npt.NDArray[Any], dtype: tf.DType) -> tf.TensorSpec:
            return tf.TensorSpec((batch_size, *rows.shape[1:]), dtype)

        signature = Batch(
            spec(names, tf.string),
            tuple(spec(kept, tf.float32) for kept in self._features),
            spec(boxes, tf.float32),
            spec(classes, tf.int32),
            spec(weights, tf.float32),
        )
        return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


def picks(
    plan: CachePlan, *, batch_size: int, seed: int, start_step: int, shown: npt.NDArray[np.float64] | None = None
) -> Iterator[npt.NDArray[np.int64]]:
    """The entries of each batch from `start_step` on: an epoch shows each image, `shown` times, in the next copies."""
    first_copies = np.random.default_rng([seed, 1]).integers(0, 1 + plan.copies, plan.images)
    orders: dict[int, npt.NDArray[np.int64]] = {}

    def order(epoch: int) -> npt.NDArray[np.int64]:
        times = np.ones(plan.images, dtype=np.int64)
        if shown is not None:
            times = times_shown(shown, seed, tf.constant(epoch, tf.int64)).numpy()
        numbers = np.repeat(np.arange(plan.images), times)
        # 0 where an image comes for the first time in this epoch, 1 for the second: each time another copy.
        again = np.arange(plan.images) - np.repeat(np.cumsum(times) - times, times)
        copies = (first_copies[numbers] + epoch + again) % (1 + plan.copies)
        return np.random.default_rng([seed, 0, epoch]).permutation(copies * plan.images + numbers)

    def pick(place: int) -> int:
        epoch, within = divmod(place, plan.images)
        if epoch not in orders:
            orders.clear()
            orders[epoch] = order(epoch)
        return int(orders[epoch][within])

    step = start_step
    while True:
        places = range(step * batch_size, (step + 1) * batch_size)
        yield np.array([pick(place) for place in places], dtype=np.int64)
        step += 1


def _room(shape: tuple[int, ...], dtype: str, folder: Path | None) -> npt.NDArray[Any]:
    if folder is None:
        return np.empty(shape, dtype)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "features.partial"
    try:
        room: npt.NDArray[Any] = np.memmap(path, dtype=dtype, mode="w+", shape=shape)
    except OSError as error:
        raise TrainingError(f"{path}: no room for the features ({error}); set train.cache.use to off") from error
    # The open mapping keeps it; nothing is left behind by a process that is killed.
    path.unlink()
    return room
