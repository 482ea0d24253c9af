"""The features that a trunk computes for every training image, kept in memory or on disk, and batches of them.

Each image is kept unchanged and in some augmented copies. Which copy of which image comes when depends on the seed and
the step alone, so that a resumed run continues with the same batches.
"""

import gc
import math
import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from tasks.errors import TrainingError
from tasks.model.resizer import Resizer
from tasks.training.balance import times_shown
from tasks.training.examples import Augment, Batch, augmented_copies
from tasks.training.trunk import Trunk

_COMPUTED_AT_A_TIME = 8
# The fields of a `Batch` behind names and images.
_LABELS_FROM = Batch._fields.index("boxes")


@dataclass(frozen=True)
class CachePlan:
    """How many features are kept.

    Attributes:
        images: how many there are.
        copies: augmented copies of each, beside the unchanged image.
        dtype: `float32` (exact) or `float16`.
        specs: shape and type of the features of one image.
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
    def size_bytes(self) -> int:
        """Bytes of all entries."""
        numbers = sum(int(np.prod(spec.shape)) for spec in self.specs)
        return self.entries * numbers * np.dtype(self.dtype).itemsize


class FeatureCache:
    """Features of every image and copy.

    Entry `copy * images + number` is copy `copy` of image `number`; copy 0 is the unchanged image.
    """

    def __init__(self, plan: CachePlan, folder: Path | None) -> None:
        """Allocate what `plan` needs: in memory, or below `folder` in files that vanish when the process ends."""
        self._plan = plan
        shapes = [(plan.entries, *spec.shape.as_list()) for spec in plan.specs]
        self._features = [_allocate(shape, plan.dtype, folder) for shape in shapes]
        self._labels: list[Any] = []

    def fill(
        self,
        trunk: Trunk,
        shards: Sequence[Path],
        *,
        resizer: Resizer,
        max_boxes: int,
        augment: Augment,
        seed: int,
    ) -> None:
        """Compute all features once, with a progress bar; the arguments are those of `training_batches`.

        Raises:
            TrainingError: the shards do not hold the planned number of images.
        """
        plan = self._plan
        examples = augmented_copies(
            shards,
            images=plan.images,
            copies=plan.copies,
            resizer=resizer,
            max_boxes=max_boxes,
            augment=augment,
            seed=seed,
        )
        done, places, labels = 0, [], []
        with tqdm(total=plan.entries, desc="computing the frozen layers", unit="image") as bar:
            for entries, batch in examples.batch(_COMPUTED_AT_A_TIME).prefetch(2):
                # Within bounds even where there are more images than planned, which is refused below.
                places.append(entries.numpy() % plan.entries)
                for stored, computed in zip(self._features, trunk.features(batch.images), strict=True):
                    stored[places[-1]] = computed.numpy()
                labels.append([tensor.numpy() for tensor in (batch.names, *batch[_LABELS_FROM:])])
                done += len(batch.names)
                bar.update(len(batch.names))
        if done != plan.entries:
            raise TrainingError(f"{len(shards)} shards hold {done} images and copies, but {plan.entries} were expected")
        # With mosaic, the photos kept for it are part of a cycle, and Python looks for cycles seldom here.
        del examples
        gc.collect()
        order = np.argsort(np.concatenate(places))
        self._labels = [np.concatenate(column)[order] for column in zip(*labels, strict=True)]

    def batches(
        self, *, batch_size: int, seed: int, start_step: int, image_shares: npt.NDArray[np.float64] | None = None
    ) -> tf.data.Dataset:
        """`Batch`es without end, from step `start_step` on, whose `images` are the features, as float32.

        `image_shares` is how often each image comes in an epoch; None: once. The features are kept as long as the
        dataset or an iterator over it.
        """
        names, *labels = self._labels
        plan, cache = self._plan, weakref.ref(self)

        # TensorFlow keeps this function until the process ends, and another phase has features of its own.
        def generate() -> Iterator[Batch]:
            for entries in batch_entries(
                plan, batch_size=batch_size, image_shares=image_shares, seed=seed, start_step=start_step
            ):
                own = cache()
                if own is None:
                    return
                features = tuple(np.asarray(stored[entries], dtype=np.float32) for stored in own._features)
                del own
                yield Batch(names[entries], features, *(column[entries] for column in labels))

        def spec(rows: npt.NDArray[Any], dtype: tf.DType) -> tf.TensorSpec:
            return tf.TensorSpec((batch_size, *rows.shape[1:]), dtype)

        signature = Batch(
            spec(names, tf.string),
            tuple(spec(stored, tf.float32) for stored in self._features),
            *(spec(column, tf.as_dtype(column.dtype)) for column in labels),
        )
        dataset = tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)
        dataset.kept_alive = self
        return dataset


def batch_entries(
    plan: CachePlan,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
    image_shares: npt.NDArray[np.float64] | None = None,
) -> Iterator[npt.NDArray[np.int64]]:
    """int64 `(B,)`, without end: the entries of each batch from step `start_step` on.

    An epoch shows each image as often as `image_shares` says (None: once), each time in the next of its copies.
    """
    first_copies = np.random.default_rng([seed, 1]).integers(0, 1 + plan.copies, plan.images)
    orders: dict[int, npt.NDArray[np.int64]] = {}

    def order(epoch: int) -> npt.NDArray[np.int64]:
        times = np.ones(plan.images, dtype=np.int64)
        if image_shares is not None:
            times = times_shown(image_shares, seed, tf.constant(epoch, tf.int64)).numpy()
        numbers = np.repeat(np.arange(plan.images), times)
        # 0 where an image comes for the first time in this epoch, 1 for the second: each time another copy.
        again = np.arange(plan.images) - np.repeat(np.cumsum(times) - times, times)
        copies = (first_copies[numbers] + epoch + again) % (1 + plan.copies)
        return np.random.default_rng([seed, 0, epoch]).permutation(copies * plan.images + numbers)

    def entry(place: int) -> int:
        epoch, within = divmod(place, plan.images)
        if epoch not in orders:
            orders.clear()
            orders[epoch] = order(epoch)
        return int(orders[epoch][within])

    step = start_step
    while True:
        places = range(step * batch_size, (step + 1) * batch_size)
        yield np.array([entry(place) for place in places], dtype=np.int64)
        step += 1


def _allocate(shape: tuple[int, ...], dtype: str, folder: Path | None) -> npt.NDArray[Any]:
    if folder is None:
        try:
            return np.empty(shape, dtype)
        except MemoryError as error:
            raise TrainingError(f"no memory for the features ({error}); set train.cache.use to disk or off") from error
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "features.partial"
    try:
        with path.open("wb") as file:
            size = math.prod(shape) * np.dtype(dtype).itemsize
            # A file that only looks as large would end the process later, where the disk is full. macOS lacks the call.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
        features: npt.NDArray[Any] = np.memmap(path, dtype=dtype, mode="r+", shape=shape)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise TrainingError(f"{path}: no space for the features ({error}); set train.cache.use to off") from error
    # The open mapping keeps the content; a killed process leaves nothing behind.
    path.unlink()
    return features
