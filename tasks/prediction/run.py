"""One run of `predict`: pictures through a detector to writers, a batch at a time.

Four kinds of threads work side by side: some decode images, one puts the next batch together, the caller's detects, and
some draw and encode for one that writes.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks.dataset.detections import Detector
from tasks.errors import StoppedError
from tasks.ground.text import counted
from tasks.prediction.inputs import Picture, Unreadable, abandoning_pool, read_pictures, unique_name
from tasks.prediction.progress import Progress
from tasks.prediction.slices import Slicing, SlicingDetector
from tasks.prediction.writer import Writer
from tasks.prediction.writing import Unwritten, Writing


@dataclass
class Outcome:
    """The result of a run.

    Attributes:
        pictures: how many were predicted on.
        boxes: how many boxes are in them.
        seconds: from the start of reading the first picture to the end of writing the last file.
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
    slicing: Slicing | None = None,
    look: Callable[[Picture], None] | None = None,
) -> Outcome:
    """Detect in every picture of `paths`, and pass detections with at least `score_threshold` to the writers, in order.

    With `slicing`, large pictures are detected in tiles too; how many there are is printed first. `look` gets each
    picture that was detected in.

    A picture that cannot be read, or that a writer cannot write, is listed in the outcome and does not stop the others.
    Reading, detecting and writing run side by side, each on a batch of its own. A picture is dropped once it is
    written. At most four batches are in memory: one that is decoded, the next one, the one in the detector and the one
    that is written, with its drawn copies. Of the largest (see `MOST_PIXELS`) they take 2.5 GB.

    Raises:
        StoppedError: Ctrl-C; what was detected is written, but the writers are not closed.
        Exception: what one of the threads raised, once the others have ended what they are at.
    """
    outcome = Outcome()
    names: set[str] = set()
    with (
        Progress(paths, every, slicing) as progress,
        closing(read_pictures(paths, batch_size, every)) as reading,
        abandoning_pool(1) as reader,
        abandoning_pool() as drawers,
        abandoning_pool(1) as scribe,
    ):
        if slicing is not None:
            detector = SlicingDetector(
                detector,
                slicing,
                batch_size=batch_size,
                score_threshold=score_threshold,
                report=progress.add_steps,
            )
        writing = Writing(writers, detector.classes, drawers, scribe)
        start = time.monotonic()
        with _saying_what_is_done(outcome, writing):
            for batch in _one_ahead(reading, reader):
                outcome.unreadable += batch.unreadable
                detected = detector.detect(batch.pixels) if batch.pixels else []
                batch.pixels.clear()
                visible = [detections.above(score_threshold) for detections in detected]
                outcome.unwritten += writing.finish()
                for detections in visible:
                    picture = batch.pictures.popleft()
                    if look is not None:
                        look(picture)
                    writing.add(picture, detections, unique_name(picture.stem, names))
                    outcome.boxes += len(detections.classes)
                    outcome.pictures += 1
                progress.add_images(len(visible), batch.unreadable)
            outcome.unwritten += writing.finish()
    outcome.written = [writer.close(outcome.unreadable) for writer in writers]
    outcome.seconds = time.monotonic() - start
    return outcome


class _Batch:
    """What was read of one batch: pictures with their pixels, uint8 `(H, W, 3)` each, and what could not be read."""

    def __init__(self, read: list[Picture | Unreadable]) -> None:
        self.unreadable = [each for each in read if isinstance(each, Unreadable)]
        self.pictures = deque(each for each in read if isinstance(each, Picture))
        self.pixels: list[npt.NDArray[np.uint8]] = [np.asarray(picture.image) for picture in self.pictures]


def _one_ahead(reading: Iterator[list[Picture | Unreadable]], reader: ThreadPoolExecutor) -> Iterator[_Batch]:
    """The batches of `reading`, of which `reader` reads the next one while the caller is busy with one."""

    def read() -> _Batch | None:
        pictures = next(reading, None)
        return None if pictures is None else _Batch(pictures)

    following = reader.submit(read)
    while (batch := following.result()) is not None:
        following = reader.submit(read)
        yield batch


@contextmanager
def _saying_what_is_done(outcome: Outcome, writing: Writing) -> Iterator[None]:
    """After Ctrl-C in the block, write what was detected until then, and put its number into the error.

    Raises:
        StoppedError: Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        outcome.unwritten += writing.finish()
        done = counted(outcome.pictures, "image")
        raise StoppedError(f"stopped; {done} done; run it again: it starts with the first image") from stop
