"""What a detector's files are given and what they give, as detections: batches of one size in, fractions out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks.dataset.boxes import from_tf
from tasks.dataset.detections import Detections
from tasks.errors import CheckpointError
from tasks.ground.stage_files import restored_by
from tasks.ground.text import shortened
from tasks.model.onnx_file import BOXES, CLASSES, COUNT, FIRST_ID, SCORES

Image = npt.NDArray[np.uint8]
_LONGEST = 300


def runs_of_one_size(images: Sequence[Image]) -> list[list[Image]]:
    """`images` in their order, those of one size that follow each other together: each list makes one batch."""
    runs: list[list[Image]] = []
    for image in images:
        if runs and runs[-1][0].shape == image.shape:
            runs[-1].append(image)
        else:
            runs.append([image])
    return runs


def in_a_line(error: Exception) -> str:
    """What a runtime says, which may be pages with the image in them."""
    return shortened(" ".join(str(error).split()), _LONGEST)


def check_outputs(
    outputs: Mapping[str, npt.NDArray[np.float32]], images: int, classes: Sequence[str], model: Path
) -> None:
    """Check what `model` gives for a batch of `images`, before anything of it is used.

    Raises:
        CheckpointError: a shape, a class, a count or a number is none that a detector gives.
    """
    n = outputs[SCORES].shape[1] if outputs[SCORES].ndim == 2 else 0
    shapes = {BOXES: (images, n, 4), SCORES: (images, n), CLASSES: (images, n), COUNT: (images,)}
    for name, shape in shapes.items():
        if outputs[name].shape != shape:
            raise CheckpointError(
                f"{model}: gives {name} of shape {outputs[name].shape}, expected {shape}; {restored_by('export')}"
            )
    ids = outputs[CLASSES]
    if not ((ids >= FIRST_ID) & (ids < FIRST_ID + len(classes))).all():
        raise CheckpointError(
            f"{model}: gives ids of classes from {ids.min():g} to {ids.max():g}, but there are {len(classes)} class "
            "names: use the label map that was exported with it"
        )
    counts = outputs[COUNT]
    if not ((counts >= 0) & (counts <= n)).all() or not all(np.isfinite(outputs[name]).all() for name in shapes):
        raise CheckpointError(f"{model}: gives no numbers, or counts beyond {n}; {restored_by('export')}")


def batch_detections(
    outputs: Mapping[str, npt.NDArray[np.float32]], images: Sequence[Image], classes: tuple[str, ...]
) -> list[Detections]:
    """The detections in each of `images`, from the outputs that the OD API's exports have."""
    counts = outputs[COUNT].astype(int)
    return [
        as_detections(
            outputs[BOXES][i, :n],
            outputs[CLASSES][i, :n] - FIRST_ID,
            outputs[SCORES][i, :n],
            image,
            classes,
        )
        for i, (image, n) in enumerate(zip(images, counts, strict=True))
    ]


def as_detections(
    boxes_tf: npt.NDArray[np.float32],
    class_indices: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    image: Image,
    classes: tuple[str, ...],
) -> Detections:
    """The detections in `image`, best first.

    Args:
        boxes_tf: `(N, 4)` `[ymin, xmin, ymax, xmax]` in 0..1.
        class_indices: `(N,)`, counted from 0.
        scores: `(N,)` in 0..1.
        image: `(H, W, 3)`.
        classes: in label-map order.

    Raises:
        CheckpointError: a class, a score or a box is none.
    """
    in_range = (class_indices >= 0) & (class_indices < len(classes))
    if not in_range.all() or not np.isfinite(boxes_tf).all() or not ((scores >= 0) & (scores <= 1)).all():
        raise CheckpointError(
            f"the model gives a class beyond its {len(classes)} names, or a score or a box that is none: use the label "
            "map that was exported with it, or export it again"
        )
    order = np.argsort(-scores, kind="stable")
    boxes = from_tf(np.clip(boxes_tf[order], 0.0, 1.0).astype(np.float64), height=image.shape[0], width=image.shape[1])
    names = tuple(classes[int(index)] for index in class_indices[order])
    return Detections(boxes, names, scores[order].astype(np.float64))
