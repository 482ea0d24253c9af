"""What every writer of predictions takes and gives, and what several of them share."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

from tasks.dataset.boxes import Boxes
from tasks.dataset.detections import Detections
from tasks.ground.files import replacing
from tasks.images.exif_frame import TURNED, to_stored
from tasks.prediction.inputs import Picture, Unreadable


@dataclass(frozen=True)
class Output:
    """What a writer is made with.

    Attributes:
        folder: what it writes into.
        classes: those of the detector, in label-map order.
        score_threshold: the lowest score among the detections that it is given.
        frames_per_s: how fast an animation runs.
    """

    folder: Path
    classes: Sequence[str]
    score_threshold: float
    frames_per_s: float


@dataclass(frozen=True)
class Prediction:
    """A picture and its detections.

    Attributes:
        detections: those to show, in pixels of the upright picture.
        stem: the name, without its extension, of files about the picture; unique in a run.
        drawn: the picture with its detections, if one of the writers draws.
        jpeg: that as the content of a JPEG file, if one of the writers encodes; else empty.
    """

    picture: Picture
    detections: Detections
    stem: str
    drawn: Image.Image
    jpeg: bytes


class Writer(Protocol):
    """Takes predictions in their order, from one thread.

    Attributes:
        draws: whether it uses `Prediction.drawn`.
        encodes: whether it uses `Prediction.jpeg`. Both are made before, several at a time.
    """

    draws: bool
    encodes: bool

    def add(self, prediction: Prediction) -> None:
        """Take one.

        Raises:
            FormatError: the kind of file cannot hold it; later predictions can be added.
        """

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """Finish; what was written, for people."""


def as_stored(prediction: Prediction, folder: Path) -> tuple[Path, tuple[int, int], Boxes]:
    """The image file, its (width, height) in pixels as stored, and `(N, 4)` boxes in them.

    A frame of a video has no file: it is written to `folder`/frames first.
    """
    picture = prediction.picture
    width, height = picture.image.size
    if picture.is_frame:
        file = folder / "frames" / f"{prediction.stem}.jpg"
        save_jpeg(picture.image, file)
        return file, (width, height), prediction.detections.boxes
    if picture.orientation in TURNED:
        width, height = height, width
    boxes = to_stored(prediction.detections.boxes, picture.orientation, width=width, height=height)
    return Path(picture.name), (width, height), boxes


def save_jpeg(image: Image.Image, path: Path) -> None:
    """Write `image` as a JPEG, and its folder where that is missing."""
    save_bytes(to_jpeg(image), path)


def to_jpeg(image: Image.Image) -> bytes:
    """The content of a JPEG file that shows `image`."""
    content = io.BytesIO()
    image.save(content, format="JPEG", quality=90)
    return content.getvalue()


def save_bytes(content: bytes, path: Path) -> None:
    """Write a file, and its folder where that is missing."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def encodable(text: str) -> str:
    """`text` with `?` for what UTF-8 cannot hold: names of files may hold bytes that are no text."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
