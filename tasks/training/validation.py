"""Validation during training: the detections of the network in memory, and their scores."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tasks.dataset.boxes import from_tf
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections
from tasks.detector.network import Network
from tasks.metrics.coco import coco_figures
from tasks.tfrecords.tf_example import shards_of
from tasks.training.examples import evaluation_images
from tasks.training.progress import Progress, RowListener, Validate, ValidationRow, ValidationScores


def validator(network: Network, records: Path, val: Dataset) -> Validate:
    """Scores of `network` on the images of `val`, which lie in `records`; where there are none, it gives None."""
    if not val.images:
        print("train: no validation images (split.val_fraction): the last checkpoint counts as the best")
        return lambda: None
    detector = RecordsDetector(network, shards_of(records, "val"), val.images, val.classes)

    def validate() -> ValidationScores:
        figures = coco_figures(val, detector())
        return ValidationScores(mAP=figures.mean_ap or 0.0, AP50=figures.ap50 or 0.0)

    return validate


def score_start(validate: Validate, progress: Progress, listener: RowListener) -> None:
    """Score the weights that training starts from, as the history's row of step 0; they are no candidate for the best.

    Of use where the base knows classes of the data by name: a class head that starts new finds nothing.
    """
    start = time.monotonic()
    scores = validate()
    seconds = time.monotonic() - start
    progress.seconds += seconds
    progress.validating_s += seconds
    if scores is None:
        return
    row = ValidationRow(step=0, mAP=scores.mAP, AP50=scores.AP50)
    progress.history.append(row)
    listener(row)
    print(f"train: before the first step: validation mAP {scores.mAP:.3f}, AP50 {scores.AP50:.3f}", flush=True)


class RecordsDetector:
    """Runs a network over the images of some TFRecords; traced once, used after every so many steps."""

    def __init__(
        self, network: Network, shards: Sequence[Path], images: Sequence[AnnotatedImage], classes: tuple[str, ...]
    ) -> None:
        """Prepare to detect in `images`, which `shards` hold in this order."""
        self._network, self._images, self._classes = network, images, classes
        self._shards = shards
        self._detect = tf.function(
            self._traced,
            input_signature=[
                tf.TensorSpec([None, network.height, network.width, 3], tf.float32),
                tf.TensorSpec([None, 3], tf.int32),
            ],
            autograph=False,
        )

    def __call__(self, chosen: npt.NDArray[np.bool_] | None = None) -> list[Detections]:
        """Detections of every image, in order, with the network's present weights.

        `chosen` is `(N,)` over the images: only those that it is true for; None: all.
        """
        images = self._images if chosen is None else [self._images[int(i)] for i in np.flatnonzero(chosen)]
        detections: list[Detections] = []
        batches = evaluation_images(self._shards, resizer=self._network.resizer, batch_size=8, chosen=chosen)
        for batch, shapes in batches:
            for boxes_tf, classes, scores, number in zip(
                *(t.numpy() for t in self._detect(batch, shapes)), strict=True
            ):
                image = images[len(detections)]
                n = int(number)
                detections.append(
                    Detections(
                        boxes=from_tf(boxes_tf[:n].astype(np.float64), height=image.height, width=image.width),
                        classes=tuple(self._classes[int(i)] for i in classes[:n]),
                        scores=scores[:n].astype(np.float64),
                    )
                )
        return detections

    def _traced(self, images: tf.Tensor, shapes: tf.Tensor) -> tuple[tf.Tensor, ...]:
        raw = self._network.forward(images, shapes, training=False)
        detections = self._network.architecture.postprocess(raw, shapes)
        return tuple(
            detections[name] for name in ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
        )
