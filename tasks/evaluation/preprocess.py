"""Photos as what an exported TFLite model takes, the same where its ranges are measured and where it is run."""

import numpy as np
import numpy.typing as npt

from tasks.detector.canvas import on_canvas, sides_on_canvas
from tasks.model.resizer import Resizer

FloatImage = npt.NDArray[np.float32]


def scaled(image: npt.NDArray[np.uint8], resizer: Resizer) -> FloatImage:
    """A uint8 `(H, W, 3)` photo as float32 `(1, height, width, 3)` in 0..255, scaled as the SavedModel does."""
    # From bytes: TensorFlow gives the same values as from floats, without a copy of the photo in floats.
    canvas, _ = on_canvas(image[np.newaxis], resizer)
    resized: FloatImage = canvas.numpy().astype(np.float32)
    return resized


def model_input(image: npt.NDArray[np.uint8], resizer: Resizer) -> FloatImage:
    """The same in -1..1, which TFLite models with floats take."""
    return scaled(image, resizer) * np.float32(2.0 / 255.0) - np.float32(1.0)


def boxes_of_photo(
    boxes_tf: npt.NDArray[np.float32], image: npt.NDArray[np.uint8], resizer: Resizer
) -> npt.NDArray[np.float32]:
    """Boxes `(N, 4)` in 0..1 of the canvas that `scaled` gives, in 0..1 of the photo itself."""
    if not resizer.keeps_proportions:
        return boxes_tf
    sides: npt.NDArray[np.int32] = sides_on_canvas(image.shape[:2], resizer).numpy()
    whole = np.tile(np.array(resizer.canvas, np.float32) / sides.astype(np.float32), 2)
    return boxes_tf * whole.astype(np.float32)
