"""The crops of a second stage: what lies in a proposal, as a map of one size."""

from collections.abc import Sequence

import tensorflow as tf
from object_detection.utils import spatial_transform_ops

# The far edge of an image whose sides are 1, less what rounding may add to it.
_EDGE = 1.0 - 1e-6


def crop_with_little_memory(
    features: Sequence[tf.Tensor], boxes: tf.Tensor, levels: tf.Tensor | None, size: Sequence[int]
) -> tf.Tensor:
    """What the OD API's crops are, in a quarter of the memory of its way by matrices.

    Rounding may put the last samples of a box at the image's edge beyond it, where TensorFlow gives zeros. It has no
    such operation for bfloat16.

    Args:
        features: a map `(B, height, width, channels)` of each level.
        boxes: float32 `(B, N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1.
        levels: int32 `(B, N)`, the index of the map that each box is cut out of; None: there is one map.
        size: height and width of the crops.

    Returns:
        float32 `(B, N, *size, channels)`.
    """
    inside = tf.minimum(boxes, _EDGE)
    exact = [tf.cast(each, tf.float32) for each in features]
    if levels is None:
        return spatial_transform_ops.multilevel_native_crop_and_resize(exact, inside, None, size)
    return _crops_by_level(exact, inside, levels, size)


def _crops_by_level(
    features: Sequence[tf.Tensor], boxes: tf.Tensor, levels: tf.Tensor, size: Sequence[int]
) -> tf.Tensor:
    """As `crop_with_little_memory`: the OD API cuts every box out of every level, in batches of a known size alone."""
    images, each = tf.unstack(tf.shape(boxes)[:2])
    image_numbers = tf.repeat(tf.range(images), each)
    rows, level_of_row = tf.reshape(boxes, [-1, 4]), tf.reshape(levels, [-1])
    places = [
        tf.cast(tf.reshape(tf.where(tf.equal(level_of_row, level)), [-1]), tf.int32) for level in range(len(features))
    ]
    crops = [
        tf.image.crop_and_resize(feature, tf.gather(rows, place), tf.gather(image_numbers, place), size)
        for feature, place in zip(features, places, strict=True)
    ]
    channels = features[0].shape[-1]
    found = tf.reshape(tf.dynamic_stitch(places, crops), [images, each, *size, channels])
    return tf.ensure_shape(found, [*boxes.shape[:2], *size, channels])
