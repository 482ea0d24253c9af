"""TFRecords into batches, in an order that is a function of the seed and the step alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.detector.canvas import boxes_on_canvas, on_canvas, whole_canvas
from tasks.model.resizer import Resizer
from tasks.training.augment import is_chosen, random_colour, random_crop, random_flip, random_zoom_out
from tasks.training.balance import times_shown
from tasks.training.mosaic import Example, Partners, partners_of, put_together

# Serialized examples held for shuffling: more than the data sets this is for, and bounded for those it is not.
_SHUFFLE_BUFFER = 4096

# An example on the canvas, its boxes in 0..1 of the canvas, and its shape on it, int32 `(3,)`.
_Placed = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]

# AutoGraph has nothing to convert in what is mapped over examples, and converting takes longer than tracing.
_as_written = tf.autograph.experimental.do_not_convert
_FEATURES = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/filename": tf.io.FixedLenFeature([], tf.string),
    "image/object/class/label": tf.io.VarLenFeature(tf.int64),
    "image/object/is_crowd": tf.io.VarLenFeature(tf.int64),
    **{f"image/object/bbox/{side}": tf.io.VarLenFeature(tf.float32) for side in ("ymin", "xmin", "ymax", "xmax")},
}


class Batch(NamedTuple):
    """Images for one step; the shapes are static.

    Attributes:
        names: string `(B,)`, the images' file names.
        images: float32 `(B, height, width, 3)` in 0..255; from a feature cache, the features that its trunk computed.
        boxes: float32 `(B, max_boxes, 4)` `[ymin, xmin, ymax, xmax]` in 0..1, padded with zeros.
        classes: int32 `(B, max_boxes)`, from 0; padding is 0.
        weights: float32 `(B, max_boxes)`: 1 for a box, 0 for padding.
        shapes: int32 `(B, 3)`: height and width that the image takes of the canvas, and 3.
    """

    names: tf.Tensor
    images: tf.Tensor | tuple[tf.Tensor, ...]
    boxes: tf.Tensor
    classes: tf.Tensor
    weights: tf.Tensor
    shapes: tf.Tensor


class BatchSlice(NamedTuple):
    """The slice of each batch that one of several workers gets.

    Attributes:
        worker, workers: which of how many, from 0.
        batch_size: images of one replica; a worker may have several.
    """

    worker: int
    workers: int
    batch_size: int


class Augment(NamedTuple):
    """How often each change is made to a training image, in 0..1, and how far two of them may go.

    Attributes:
        crop_min_area: of the image's area, the least that a crop leaves.
        zoom_out_min: of the image's sides, the least that it is shrunk to.
        mosaic: how often three other images are put beside it, changed in the same ways.
    """

    flip: float
    crop: float
    zoom_out: float
    colour: float
    crop_min_area: float = 0.4
    zoom_out_min: float = 0.5
    mosaic: float = 0.0


def training_batches(
    shards: Sequence[Path],
    *,
    resizer: Resizer,
    batch_size: int,
    max_boxes: int,
    augment: Augment,
    seed: int,
    start_step: int,
    image_shares: npt.NDArray[np.float64] | None = None,
    batch_slice: BatchSlice | None = None,
) -> tf.data.Dataset:
    """`Batch`es without end: every epoch its own order, every example its own augmentation.

    Step n's batch is the same whether the run started at 0 or was resumed at `start_step`.

    Args:
        shards: TFRecord files.
        resizer: how images come on the canvas.
        batch_size: B.
        max_boxes: the most boxes that any image can have (`mosaic.most_boxes`).
        augment: how often each change is made.
        seed: of order and augmentation.
        start_step: steps already taken.
        image_shares: how often each image comes in an epoch (`balance.shares`), in the order of the files; None: once.
        batch_slice: only this slice of each batch, replica by replica; all slices together are the whole batch.
    """
    files = [str(path) for path in shards]

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        examples = tf.data.TFRecordDataset(files)
        if image_shares is not None:
            times = tf.data.Dataset.from_tensor_slices(times_shown(image_shares, seed, number))
            pairs = tf.data.Dataset.zip((examples, times))
            examples = pairs.flat_map(lambda serialized, n: tf.data.Dataset.from_tensors(serialized).repeat(n))
        return examples.shuffle(_SHUFFLE_BUFFER, seed=seed * 1_000_003 + number)

    partners = _partners(files, resizer) if augment.mosaic else None

    @_as_written
    def load(index: tf.Tensor, serialized: tf.Tensor) -> Batch:
        name, *example = _parse(serialized)
        own_seed = tf.stack([tf.constant(seed, tf.int64), index])
        return _padded(name, _augmented_or_mosaic(tuple(example), augment, own_seed, resizer, partners), max_boxes)

    examples = tf.data.Dataset.range(2**62).flat_map(epoch).enumerate().skip(start_step * batch_size)
    if batch_slice is not None:
        worker, workers = batch_slice.worker, batch_slice.workers
        examples = examples.filter(lambda index, _: index % batch_size * workers // batch_size == worker)
    return (
        examples.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_slice.batch_size if batch_slice else batch_size, drop_remainder=True)
        .prefetch(2)
    )


def augmented_copies(
    shards: Sequence[Path],
    *,
    images: int,
    copies: int,
    resizer: Resizer,
    max_boxes: int,
    augment: Augment,
    seed: int,
) -> tf.data.Dataset:
    """Pairs of an entry's number, int64, and its example, a `Batch` without the first axis.

    Entry `copy * images + number` is copy `copy` of image `number`: copy 0 is unchanged, the `copies` others are
    augmented. They come image by image, each decoded once. Copy c of image i does not depend on how many there are of
    either; the other arguments are those of `training_batches`.
    """
    files = [str(path) for path in shards]
    partners = _partners(files, resizer) if augment.mosaic else None

    @_as_written
    def decode(number: tf.Tensor, serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (number, *_parse(serialized))

    @_as_written
    def every_copy(*decoded: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.range(1 + copies).map(_as_written(lambda copy: (copy, *decoded)))

    @_as_written
    def load(
        copy: tf.Tensor, number: tf.Tensor, name: tf.Tensor, image: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor
    ) -> tuple[tf.Tensor, Batch]:
        placed = tf.cond(
            copy == 0,
            lambda: _placed((image, boxes, classes), resizer),
            lambda: _augmented_or_mosaic(
                (image, boxes, classes),
                augment,
                tf.random.experimental.stateless_fold_in(tf.stack([tf.constant(seed, tf.int64), number]), copy),
                resizer,
                partners,
            ),
        )
        return copy * images + number, _padded(name, placed, max_boxes)

    examples = tf.data.TFRecordDataset([str(path) for path in shards]).enumerate()
    decoded = examples.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return decoded.flat_map(every_copy).map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def evaluation_images(
    shards: Sequence[Path], *, resizer: Resizer, batch_size: int, chosen: npt.NDArray[np.bool_] | None = None
) -> tf.data.Dataset:
    """float32 `(B, height, width, 3)` images in 0..255 and their shapes, int32 `(B, 3)`, each once.

    They come in the files' order; the last B may be smaller.

    `chosen` is `(N,)` over all images in the files: only those that it is true for; None: all.
    """

    @_as_written
    def load(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return on_canvas(_parse(serialized)[1], resizer)

    records = tf.data.TFRecordDataset([str(path) for path in shards])
    if chosen is not None:
        pairs = tf.data.Dataset.zip((records, tf.data.Dataset.from_tensor_slices(chosen)))
        records = pairs.filter(_as_written(lambda _, wanted: wanted)).map(_as_written(lambda serialized, _: serialized))
    return records.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).batch(batch_size).prefetch(2)


def _parse(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """File name, image in 0..255, boxes `(N, 4)` and classes `(N,)` from 0, without crowds."""
    example = tf.io.parse_single_example(serialized, _FEATURES)
    image = tf.io.decode_image(example["image/encoded"], channels=3, expand_animations=False)
    image.set_shape([None, None, 3])
    sides = [tf.sparse.to_dense(example[f"image/object/bbox/{side}"]) for side in ("ymin", "xmin", "ymax", "xmax")]
    single = tf.sparse.to_dense(example["image/object/is_crowd"]) == 0
    classes = tf.cast(tf.sparse.to_dense(example["image/object/class/label"]), tf.int32) - 1
    boxes = tf.stack(sides, axis=1)
    return (
        example["image/filename"],
        tf.cast(image, tf.float32),
        tf.boolean_mask(boxes, single),
        tf.boolean_mask(classes, single),
    )


def _partners(files: Sequence[str], resizer: Resizer) -> Partners:
    records = tf.data.TFRecordDataset(files)
    images = int(records.reduce(0, lambda count, _: count + 1))
    return partners_of(records, images, resizer, lambda serialized: _parse(serialized)[1:])


def _augmented_or_mosaic(
    example: Example, augment: Augment, seed: tf.Tensor, resizer: Resizer, partners: Partners | None
) -> _Placed:
    """The example changed, on the canvas; as often as `augment.mosaic` says, with three others beside it."""
    alone = _augmented(*example, augment, seed, resizer)
    if partners is None:
        return alone
    seeds = tf.unstack(tf.random.experimental.stateless_split(tf.random.experimental.stateless_fold_in(seed, 1), 6))

    def together() -> _Placed:
        others = zip(partners.chosen(seeds[1]), seeds[3:], strict=True)
        changed = [_augmented(*other, augment, own_seed, resizer) for other, own_seed in others]
        four = [(image, boxes, classes) for image, boxes, classes, _ in (alone, *changed)]
        return (*put_together(four, seeds[2], resizer.canvas), whole_canvas(resizer))

    return tf.cond(is_chosen(seeds[0], augment.mosaic), together, lambda: alone)


def _augmented(
    image: tf.Tensor, boxes: tf.Tensor, classes: tf.Tensor, augment: Augment, seed: tf.Tensor, resizer: Resizer
) -> _Placed:
    """The image changed, on the canvas, and the objects that are left of it."""
    flip_seed, crop_seed, colour_seed, zoom_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    image = random_colour(image, colour_seed, augment.colour)
    image, boxes, keep = random_crop(image, boxes, crop_seed, augment.crop, augment.crop_min_area)
    boxes, classes = tf.boolean_mask(boxes, keep), tf.boolean_mask(classes, keep)
    image, boxes = random_flip(image, boxes, flip_seed, augment.flip)
    image, boxes, shape = random_zoom_out(image, boxes, zoom_seed, augment.zoom_out, augment.zoom_out_min, resizer)
    return image, boxes, classes, shape


def _placed(example: Example, resizer: Resizer) -> _Placed:
    """The example on the canvas, unchanged."""
    image, boxes, classes = example
    canvas, shape = on_canvas(image, resizer)
    return canvas, boxes_on_canvas(boxes, shape, resizer), classes, shape


def _padded(name: tf.Tensor, placed: _Placed, max_boxes: int) -> Batch:
    image, boxes, classes, shape = placed
    missing = max_boxes - tf.shape(boxes)[0]
    weights = tf.pad(tf.ones_like(classes, tf.float32), [[0, missing]])
    boxes = tf.pad(boxes, [[0, missing], [0, 0]])
    classes = tf.pad(classes, [[0, missing]])
    return Batch(
        name,
        image,
        tf.ensure_shape(boxes, [max_boxes, 4]),
        tf.ensure_shape(classes, [max_boxes]),
        tf.ensure_shape(weights, [max_boxes]),
        tf.ensure_shape(shape, [3]),
    )
