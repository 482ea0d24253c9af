"""Photos as what an exported TFLite model takes, the same where its ranges are measured and where it is run."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

FloatImage = npt.NDArray[np.float32]


def stretched(image: npt.NDArray[np.uint8], height: int, width: int) -> FloatImage:
    """A uint8 `(H, W, 3)` photo as float32 `(1, height, width, 3)` in 0..255, scaled as the SavedModel does."""
    # From bytes: TensorFlow gives the same values as from floats, without a copy of the photo in floats.
    resized: FloatImage = tf.image.resize(image[np.newaxis], [height, width]).numpy().astype(np.float32)
    return resized


def model_input(image: npt.NDArray[np.uint8], height: int, width: int) -> FloatImage:
    """The same in -1..1, which TFLite models with floats take."""
    return stretched(image, height, width) * np.float32(2.0 / 255.0) - np.float32(1.0)
