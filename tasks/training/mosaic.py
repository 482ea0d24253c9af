"""Mosaic: four training images put together into one (YOLOv4: Bochkovskiy et al. 2020, arXiv:2004.10934, section 3.3).

The first of the four is the image whose turn it is; the other three are chosen by its seed from images kept decoded in
memory, so that a step does not decode four photos for one.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from tasks.detector.canvas import sides_on_canvas
from tasks.model.resizer import Resizer
from tasks.training.augment import MIN_VISIBLE, into_window

# A data set of more than this keeps every second image, or every third, ...
_MEMORY_BYTES = 500_000_000

# An image float32 `(H, W, 3)` in 0..255, its boxes `(N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1, and classes `(N,)`.
Example = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


class Partners(NamedTuple):
    """Decoded images, from which the other three of a mosaic are chosen.

    Attributes:
        images: uint8 `(P, height, width, 3)`, as large as on the canvas, padded where others are larger.
        sides: int32 `(P, 2)`: height and width of each.
        boxes: float32 `(P, M, 4)`, padded.
        classes: int32 `(P, M)`, padded.
        counts: int32 `(P,)`: the boxes of each.
    """

    images: tf.Tensor
    sides: tf.Tensor
    boxes: tf.Tensor
    classes: tf.Tensor
    counts: tf.Tensor

    def chosen(self, seed: tf.Tensor) -> list[Example]:
        """Three of them, a function of `seed`."""
        places = tf.random.stateless_uniform([3], seed, 0, tf.shape(self.counts, tf.int64)[0], tf.int64)
        return [
            (
                tf.cast(self.images[place][: self.sides[place, 0], : self.sides[place, 1]], tf.float32),
                self.boxes[place][: self.counts[place]],
                self.classes[place][: self.counts[place]],
            )
            for place in tf.unstack(places)
        ]


def partners_of(
    records: tf.data.Dataset,
    images: int,
    resizer: Resizer,
    decode: Callable[[tf.Tensor], Example],
    *,
    most_bytes: int = _MEMORY_BYTES,
) -> Partners:
    """The `images` records as partners, unchanged; of more than `most_bytes` only every nth, and no other is decoded.

    Raises:
        ValueError: there is no image.
    """
    if not images:
        raise ValueError("no images to choose from")
    height, width = resizer.canvas
    every = -(-images * height * width * 3 // most_bytes)

    def resized(record: tf.Tensor) -> tuple[tf.Tensor, ...]:
        image, boxes, classes = decode(record)
        sides = sides_on_canvas(tf.shape(image)[:2], resizer)
        small = tf.cast(tf.round(tf.clip_by_value(tf.image.resize(image, sides), 0.0, 255.0)), tf.uint8)
        return small, sides, boxes, classes, tf.shape(classes)[0]

    kept = records.shard(every, 0).map(resized, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return Partners(*next(iter(kept.padded_batch(images))))


def put_together(four: Sequence[Example], seed: tf.Tensor, size: tuple[int, int]) -> Example:
    """Four examples of `size` in two rows, and of that a random window, resized to `size`.

    The window is half of the rows' sides to all of them: things are seen at half to all of their size, beside things
    of other images, and cut at inner edges. Of an object so much must be seen as in a crop, or its box is dropped.
    """
    images = [image for image, _, _ in four]
    grid = tf.concat([tf.concat(images[:2], axis=1), tf.concat(images[2:], axis=1)], axis=0)
    corners = ([0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    placed = tf.concat([(boxes + corner) / 2 for (_, boxes, _), corner in zip(four, corners, strict=True)], axis=0)
    classes = tf.concat([classes for _, _, classes in four], axis=0)
    top_left, bottom_right = _random_corners(seed, size)
    window = tf.concat([top_left, bottom_right], axis=0) / (2 * tf.constant([*size, *size]))
    boxes, visible = into_window(placed, tf.cast(window, tf.float32))
    keep = visible >= MIN_VISIBLE
    seen = grid[top_left[0] : bottom_right[0], top_left[1] : bottom_right[1]]
    return tf.image.resize(seen, size), tf.boolean_mask(boxes, keep), tf.boolean_mask(classes, keep)


def _random_corners(seed: tf.Tensor, size: tuple[int, int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Two corners of a window, int32 `(2,)` `[row, column]` of pixels, in a grid of twice the size."""
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    whole = tf.constant(size, tf.float32)
    sides = tf.round(whole * tf.random.stateless_uniform([], seeds[0], 1.0, 2.0))
    top_left = tf.floor(tf.random.stateless_uniform([2], seeds[1]) * (2.0 * whole - sides + 1.0))
    return tf.cast(top_left, tf.int32), tf.cast(top_left + sides, tf.int32)


def most_boxes(counts: Sequence[int], mosaic: float) -> int:
    """The most boxes that an image of a batch can have, 8 at least.

    Args:
        counts: the boxes of each training image.
        mosaic: how often four of them are put together, which may be four times the same.
    """
    return max(8, max(counts, default=0) * (4 if mosaic else 1))
