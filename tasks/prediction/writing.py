"""Predictions on their way to the writers: drawn several at a time, written one after another, beside the detector."""

import errno
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tasks.dataset.detections import Detections
from tasks.errors import FormatError
from tasks.ground.files import LONGEST_NAME_BYTES
from tasks.images.drawing import draw_detections
from tasks.prediction.inputs import Picture
from tasks.prediction.writer import Prediction, Writer, to_jpeg


@dataclass(frozen=True)
class Unwritten:
    """A picture that one of the kinds of files cannot hold, and why."""

    name: str
    reason: str


class _Drawing(NamedTuple):
    """`Prediction.drawn` and `Prediction.jpeg`."""

    drawn: Image.Image
    jpeg: bytes


class Writing:
    """Gives predictions to writers in the order in which they are added; once one is written, nothing of it stays."""

    def __init__(
        self, writers: Sequence[Writer], classes: Sequence[str], drawers: ThreadPoolExecutor, scribe: ThreadPoolExecutor
    ) -> None:
        """Draw on `drawers`, and write on `scribe`, which has one thread; `classes` are the detector's."""
        self._writers = writers
        self._classes = classes
        self._drawers, self._scribe = drawers, scribe
        self._draws = any(writer.draws for writer in writers)
        self._encodes = any(writer.encodes for writer in writers)
        self._unwritten: deque[Future[list[Unwritten]]] = deque()

    def add(self, picture: Picture, detections: Detections, stem: str) -> None:
        """Begin with one, and return at once; `stem` is `Prediction.stem`."""
        drawing = self._drawers.submit(self._draw, picture.image, detections) if self._draws or self._encodes else None
        self._unwritten.append(self._scribe.submit(self._write, picture, detections, stem, drawing))

    def finish(self) -> list[Unwritten]:
        """Wait until all that were added are written; those that a writer could not write.

        Raises:
            Exception: what drawing or writing one of them raised, but a writer's FormatError and too long a name.
        """
        failures: list[Unwritten] = []
        while self._unwritten:
            failures += self._unwritten.popleft().result()
        return failures

    def _draw(self, image: Image.Image, detections: Detections) -> _Drawing:
        drawn = draw_detections(image, detections, self._classes)
        return _Drawing(drawn if self._draws else image, to_jpeg(drawn) if self._encodes else b"")

    def _write(
        self, picture: Picture, detections: Detections, stem: str, drawing: Future[_Drawing] | None
    ) -> list[Unwritten]:
        drawn, jpeg = drawing.result() if drawing else (picture.image, b"")
        prediction = Prediction(picture, detections, stem, drawn, jpeg)
        failures: list[Unwritten] = []
        for writer in self._writers:
            try:
                writer.add(prediction)
            except FormatError as error:
                failures.append(Unwritten(picture.name, str(error)))
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:
                    raise
                failures.append(Unwritten(picture.name, _too_long(Path(os.fsdecode(error.filename)))))
        return failures


def _too_long(path: Path) -> str:
    """Why no file can be written to `path`, and the remedy."""
    if len(os.fsencode(path.name)) > LONGEST_NAME_BYTES:
        return "its name is too long for a file called after it: rename it"
    return "its file would have too long a path: choose a shorter --out"
