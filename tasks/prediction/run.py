"""One run of `predict`: pictures through a detector to writers, a batch at a time."""

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from tasks.dataset.detections import Detections, Detector
from tasks.errors import FormatError
from tasks.images.drawing import draw_detections
from tasks.prediction.inputs import Picture, Unreadable, count_pictures, read_pictures, unique_name
from tasks.prediction.writer import Prediction, Writer


@dataclass(frozen=True)
class Unwritten:
    """A picture that one of the kinds of files cannot hold, and why."""

    name: str
    reason: str


@dataclass
class Outcome:
    """The result of a run.

    Attributes:
        pictures: how many were predicted on.
        boxes: how many boxes are in them.
        seconds: reading, detecting, drawing and writing.
        unreadable: files that could not be read.
        unwritten: pictures that were predicted on, but are missing in one of the kinds of files.
        written: what each writer wrote, for people.
    """

    pictures: int = 0
    boxes: int = 0
    seconds: float = 0.0
    unreadable: list[Unreadable] = field(default_factory=list)
    unwritten: list[Unwritten] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


def predict_pictures(
    paths: Sequence[Path],
    detector: Detector,
    writers: Sequence[Writer],
    score_threshold: float,
    *,
    batch_size: int,
    every: int = 1,
) -> Outcome:
    """Detect in every picture of `paths`, and pass detections with at least `score_threshold` to the writers, in order.

    A picture that cannot be read, or that a writer cannot write, is listed in the outcome and does not stop the others.
    A picture is dropped once it is written, so that at most two batches and the drawn copy of one are in memory.
    """
    start = time.monotonic()
    outcome = Outcome()
    names: set[str] = set()
    draws = any(writer.draws for writer in writers)
    with ThreadPoolExecutor() as pool, tqdm(total=count_pictures(paths, every), desc="predict", unit="image") as bar:
        for batch in read_pictures(paths, batch_size, every):
            size = len(batch)
            outcome.unreadable += [each for each in batch if isinstance(each, Unreadable)]
            pictures = deque(each for each in batch if isinstance(each, Picture))
            batch.clear()
            detected = detector.detect([np.asarray(picture.image) for picture in pictures]) if pictures else []
            visible = [detections.above(score_threshold) for detections in detected]
            images = pool.map(_draw if draws else _keep, pictures, visible, [detector.classes] * len(pictures))
            for detections, image in zip(visible, images, strict=True):
                picture = pictures.popleft()
                prediction = Prediction(picture, detections, unique_name(picture.stem, names), image)
                outcome.unwritten += _write(prediction, writers)
                outcome.boxes += len(detections.classes)
            outcome.pictures += len(visible)
            bar.update(size)
    outcome.written = [writer.close(outcome.unreadable) for writer in writers]
    outcome.seconds = time.monotonic() - start
    return outcome


def _draw(picture: Picture, detections: Detections, classes: Sequence[str]) -> Image.Image:
    return draw_detections(picture.image, detections, classes)


def _keep(picture: Picture, _detections: Detections, _classes: Sequence[str]) -> Image.Image:
    return picture.image


def _write(prediction: Prediction, writers: Sequence[Writer]) -> list[Unwritten]:
    """Give `prediction` to each writer; why it failed where one cannot write it."""
    failures: list[Unwritten] = []
    for writer in writers:
        try:
            writer.add(prediction)
        except FormatError as error:
            failures.append(Unwritten(prediction.picture.name, str(error)))
    return failures
