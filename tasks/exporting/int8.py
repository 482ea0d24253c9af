"""The int8 file: of the forms in which it can be made, the first that loses little enough."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.errors import DataError
from tasks.exporting.interpreter import Floats, Images
from tasks.exporting.tflite import FORMS, Form
from tasks.images.image_file import read_rgb
from tasks.metrics.differences import Difference
from tasks.metrics.loss_texts import loss_text

Prepare = Callable[[npt.NDArray[np.uint8]], Floats]
# 250 inputs of 320 px, 60 of 640 px.
_KEPT_BYTES = 300_000_000


class Inputs:
    """Images as the model takes them, for several passes. Those that do not fit in memory are read anew each time."""

    def __init__(
        self,
        data: Dataset,
        images: Sequence[AnnotatedImage],
        prepare: Prepare,
        kept: dict[str, Floats] | None = None,
    ) -> None:
        """`images` of `data`; `prepare` makes a photo the model's input.

        `kept` holds inputs by file name, and takes further ones while there is room; several `Inputs` may share it.
        """
        self._data, self._images = data, images
        self._prepare = prepare
        self._kept = {} if kept is None else kept

    def __len__(self) -> int:
        """How many there are."""
        return len(self._images)

    def __iter__(self) -> Iterator[Floats]:
        """Float32 `(1, height, width, 3)` in -1..1."""
        for number, image in enumerate(self._images):
            pixels = self._input(image)
            if number == 0:
                # The input's range becomes that of all pixels, however dark the photos: apps put pixels in as they are.
                pixels = pixels.copy()
                pixels[0, 0, :2, 0] = -1.0, 1.0
            yield pixels

    def first(self, count: int) -> "Inputs":
        """Up to `count` of them."""
        return Inputs(self._data, self._images[:count], self._prepare, self._kept)

    def _input(self, image: AnnotatedImage) -> Floats:
        if image.file_name in self._kept:
            return self._kept[image.file_name]
        pixels = self._prepare(read_rgb(self._data.image_path(image)))
        if (len(self._kept) + 1) * pixels.nbytes <= _KEPT_BYTES:
            self._kept[image.file_name] = pixels
        return pixels


@dataclass(frozen=True)
class Quantised:
    """An int8 file.

    Attributes:
        content: the file.
        form: how it was made.
        images: how many training images its ranges were measured on.
        difference: its mAP on the val split less the SavedModel's.
    """

    content: bytes
    form: Form
    images: int
    difference: Difference

    @property
    def loss(self) -> float | None:
        """How much lower its mAP is, in 0..1; None where there is nothing to measure."""
        return self.difference.loss


def quantise(
    quantize: Callable[[Form, Images], bytes],
    train: Dataset,
    *,
    prepare: Prepare,
    calibration_images: int,
    is_too_much: Callable[[Difference], bool],
    difference_of: Callable[[bytes], Difference],
) -> Quantised:
    """The first form of `FORMS` that does not surely lose too much; where none is, the one that loses least.

    Args:
        quantize: makes the file in a form, as `Converter.quantize` does.
        train: the training split; no other image is used.
        prepare: makes a photo the model's input.
        calibration_images: how many of `train` the ranges are measured on.
        is_too_much: whether a difference on the val split is a loss that the gate would not let pass.
        difference_of: a file's mAP on the val split less the SavedModel's.

    Raises:
        CheckpointError: an operation cannot be quantised.
        DataError: there are no training images.
    """
    if not train.images:
        raise DataError(
            "export: int8 needs training images to measure its ranges on, and the train split holds none: annotate "
            "images, or leave int8 out of export.variants"
        )
    tried: list[Quantised] = []
    kept: dict[str, Floats] = {}
    for form in FORMS:
        chosen = train.images if form.all_images else calibration_choice(train, calibration_images)
        if form.all_images and tried and len(chosen) == tried[0].images:
            continue
        content = quantize(form, Inputs(train, chosen, prepare, kept))
        tried.append(Quantised(content, form, len(chosen), difference_of(content)))
        surely = is_too_much(tried[-1].difference)
        measured = _measured(tried[-1].loss)
        tqdm.write(f"export: int8, {form.name}: {measured}; {'surely too much' if surely else 'taken'}")
        if not surely:
            return tried[-1]
    best = min(tried, key=lambda each: each.loss or 0.0)
    tqdm.write(f"export: int8: every form surely loses too much; {best.form.name} loses least")
    return best


def _measured(loss: float | None) -> str:
    return "not measured on val" if loss is None else f"{loss_text(loss)} mAP on the val split"


def calibration_choice(train: Dataset, count: int) -> list[AnnotatedImage]:
    """Up to `count` images of `train`, drawn at random, the same for the same images."""
    order = np.random.default_rng(0).permutation(len(train.images))
    return [train.images[i] for i in order[:count]]
