"""Images on the canvas, the detector's input: stretched, or with their proportions and black to the right and below.

The shape of the image on the canvas is what the OD API calls the true image shape: int32 `[height, width, 3]`.
"""

import tensorflow as tf

from tasks.model.resizer import Resizer


def sides_on_canvas(sides: tf.Tensor, resizer: Resizer) -> tf.Tensor:
    """int32 `[height, width]` that an image of these `sides`, `[height, width]`, has on the canvas.

    Rounded as `object_detection.core.preprocessor.resize_to_range` does.
    """
    if not resizer.keeps_proportions:
        return tf.constant(resizer.canvas, tf.int32)
    own = tf.cast(sides, tf.float32)
    factor = tf.minimum(resizer.min_side / tf.reduce_min(own), resizer.max_side / tf.reduce_max(own))
    return tf.clip_by_value(tf.cast(tf.round(own * factor), tf.int32), 1, resizer.canvas)


def on_canvas(images: tf.Tensor, resizer: Resizer) -> tuple[tf.Tensor, tf.Tensor]:
    """Images `(..., H, W, C)` as float32 `(..., height, width, C)`, and their shape on the canvas, int32 `(3,)`."""
    sides = sides_on_canvas(tf.shape(images)[-3:-1], resizer)
    canvas = tf.image.resize(images, sides)
    if resizer.keeps_proportions:
        canvas = tf.image.pad_to_bounding_box(canvas, 0, 0, *resizer.canvas)
    return canvas, true_shape(sides)


def boxes_on_canvas(boxes: tf.Tensor, shape: tf.Tensor, resizer: Resizer) -> tf.Tensor:
    """Boxes `(N, 4)` in 0..1 of an image that has this `shape` on the canvas, in 0..1 of the canvas."""
    if not resizer.keeps_proportions:
        return boxes
    return boxes * tf.tile(tf.cast(shape[:2], tf.float32) / tf.constant(resizer.canvas, tf.float32), [2])


def true_shape(sides: tf.Tensor) -> tf.Tensor:
    """int32 `[height, width, 3]` from `[height, width]`."""
    return tf.concat([sides, [3]], axis=0)


def whole_canvas(resizer: Resizer) -> tf.Tensor:
    """The shape of an image that fills the canvas."""
    return tf.constant([*resizer.canvas, 3], tf.int32)
