"""Random changes to training images, stateless: an equal seed gives an equal change, so a resumed run sees equal data.

Images are float32 `(H, W, 3)` in 0..255, boxes float32 `(N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1.
"""

import tensorflow as tf

from tasks.detector.canvas import boxes_on_canvas, on_canvas, sides_on_canvas, whole_canvas
from tasks.model.resizer import Resizer

# A crop may cut objects; an object of which less than this fraction is left is dropped.
MIN_VISIBLE = 0.5
_GREY = 127.5


def random_flip(image: tf.Tensor, boxes: tf.Tensor, seed: tf.Tensor, probability: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Mirror left and right with the given probability."""

    def flipped() -> tuple[tf.Tensor, tf.Tensor]:
        ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=1)
        return tf.reverse(image, axis=[1]), tf.stack([ymin, 1.0 - xmax, ymax, 1.0 - xmin], axis=1)

    return tf.cond(is_chosen(seed, probability), flipped, lambda: (image, boxes))


def random_colour(image: tf.Tensor, seed: tf.Tensor, probability: float) -> tf.Tensor:
    """Change brightness, contrast and saturation a little with the given probability."""

    def changed() -> tf.Tensor:
        seeds = _split(seed, 3)
        brightened = image + tf.random.stateless_uniform([], seeds[0], -32.0, 32.0)
        contrast = tf.random.stateless_uniform([], seeds[1], 0.7, 1.3)
        mean = tf.reduce_mean(brightened, axis=[0, 1], keepdims=True)
        contrasted = (brightened - mean) * contrast + mean
        grey = tf.reduce_mean(contrasted, axis=2, keepdims=True)
        saturation = tf.random.stateless_uniform([], seeds[2], 0.6, 1.4)
        return tf.clip_by_value((contrasted - grey) * saturation + grey, 0.0, 255.0)

    return tf.cond(is_chosen(seed, probability), changed, lambda: image)


def random_crop(
    image: tf.Tensor, boxes: tf.Tensor, seed: tf.Tensor, probability: float, min_area: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Cut out a window of `min_area` to 1 of the area, with the given probability.

    A window without any object is not used, unless the image has none.

    Returns:
        The image, the boxes clipped to it, and bool `(N,)`: which boxes keep enough of their object.
    """
    window = _random_window(seed, min_area)
    moved, visible = into_window(boxes, window)
    keep = visible >= MIN_VISIBLE
    usable = is_chosen(seed, probability) & (tf.reduce_any(keep) | (tf.shape(boxes)[0] == 0))

    def cropped() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        size = tf.cast(tf.shape(image)[:2], tf.float32)
        top_left = tf.cast(tf.floor(window[:2] * size), tf.int32)
        bottom_right = tf.maximum(tf.cast(tf.math.ceil(window[2:] * size), tf.int32), top_left + 1)
        return image[top_left[0] : bottom_right[0], top_left[1] : bottom_right[1]], moved, keep

    return tf.cond(usable, cropped, lambda: (image, boxes, tf.ones_like(keep)))


def random_zoom_out(
    image: tf.Tensor, boxes: tf.Tensor, seed: tf.Tensor, probability: float, min_zoom: float, resizer: Resizer
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Bring it on the canvas; with the given probability at `min_zoom` to 1 of its sides there, somewhere on grey.

    Returns the image, its boxes, and its shape on the canvas, `(3,)`: all of the canvas where it lies on grey.
    """

    def smaller() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        seeds = _split(seed, 3)
        whole = tf.constant(resizer.canvas, tf.float32)
        sides = tf.cast(sides_on_canvas(tf.shape(image)[:2], resizer), tf.float32)
        scaled = tf.maximum(tf.round(sides * tf.random.stateless_uniform([], seeds[0], min_zoom, 1.0)), 1.0)
        place = tf.stack([tf.random.stateless_uniform([], seeds[1]), tf.random.stateless_uniform([], seeds[2])])
        start = tf.floor(place * (whole - scaled + 1.0))
        resized = tf.image.resize(image, tf.cast(scaled, tf.int32)) - _GREY
        rows, columns = tf.unstack(tf.cast(start, tf.int32))
        canvas = tf.image.pad_to_bounding_box(resized, rows, columns, *resizer.canvas) + _GREY
        placed = (boxes * tf.tile(scaled, [2]) + tf.tile(start, [2])) / tf.tile(whole, [2])
        return canvas, placed, whole_canvas(resizer)

    def unchanged() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        canvas, shape = on_canvas(image, resizer)
        return canvas, boxes_on_canvas(boxes, shape, resizer), shape

    return tf.cond(is_chosen(seed, probability), smaller, unchanged)


def _random_window(seed: tf.Tensor, min_area: float) -> tf.Tensor:
    """`[ymin, xmin, ymax, xmax]` in 0..1, of `min_area` to 1 of the area and an aspect ratio of 3:4 to 4:3."""
    seeds = _split(seed, 4)
    area = tf.random.stateless_uniform([], seeds[0], min_area, 1.0)
    ratio = tf.exp(tf.random.stateless_uniform([], seeds[1], -0.29, 0.29))
    size = tf.minimum(tf.sqrt(tf.stack([area / ratio, area * ratio])), 1.0)
    start = tf.stack([tf.random.stateless_uniform([], seeds[2]), tf.random.stateless_uniform([], seeds[3])])
    start = start * (1.0 - size)
    return tf.concat([start, start + size], axis=0)


def into_window(boxes: tf.Tensor, window: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Boxes in the window's own 0..1, clipped, and `(N,)` the fraction of each that is inside."""
    offset, size = tf.tile(window[:2], [2]), tf.tile(window[2:] - window[:2], [2])
    moved = (boxes - offset) / size
    clipped = tf.clip_by_value(moved, 0.0, 1.0)
    return clipped, tf.math.divide_no_nan(_area(clipped), _area(moved))


def _area(boxes: tf.Tensor) -> tf.Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def is_chosen(seed: tf.Tensor, probability: float) -> tf.Tensor:
    """Whether a change of this probability is made: a bool scalar, a function of `seed`."""
    return tf.random.stateless_uniform([], seed) < probability


def _split(seed: tf.Tensor, number: int) -> list[tf.Tensor]:
    return tf.unstack(tf.random.experimental.stateless_split(seed, number + 1))[1:]
