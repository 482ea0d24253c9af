"""What can be written of predictions, each while they come: one class a kind of file."""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from tasks.dataset.boxes import Boxes, area, to_xywh
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.dataset.detections import Detections
from tasks.errors import FormatError
from tasks.formats.pascal_voc import write_voc
from tasks.ground.files import replacing, write_json
from tasks.images.exif_frame import TURNED, to_stored
from tasks.images.image_finder import lexically_absolute
from tasks.prediction.inputs import Picture, Unreadable, unique_name

KINDS = ("pictures", "json", "voc", "csv", "gif")
_CSV = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax", "score")
_GIF_SIDE_PX = 480
_MOST_GIF_FRAMES = 600


@dataclass(frozen=True)
class Prediction:
    """A picture, what was found in it, and what files about it are called.

    Attributes:
        detections: those to be shown, in pixels of the upright picture.
        stem: unique among the pictures of a run.
        drawn: the picture with its detections, if one of the writers draws.
    """

    picture: Picture
    detections: Detections
    stem: str
    drawn: Image.Image


class Writer(Protocol):
    """Takes predictions in their order."""

    draws: bool

    def add(self, prediction: Prediction) -> None:
        """Take one.

        Raises:
            FormatError: the kind of file cannot hold it; the next can be given all the same.
        """

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """Finish; what was written, for people."""


class PictureWriter:
    """A JPEG of each, with its boxes."""

    draws = True

    def __init__(self, out: Path) -> None:
        """Write into the folder `out`."""
        self._out = out
        self.written: list[Path] = []

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        target = self._out / f"{prediction.stem}.jpg"
        _save(prediction.drawn, target)
        self.written.append(target)

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        return f"{len(self.written)} pictures"


class JsonWriter:
    """COCO JSON with a score at each annotation; boxes are in pixels of the upright picture."""

    draws = False

    def __init__(self, out: Path, classes: Sequence[str], score_threshold: float) -> None:
        """Write `out`/detections.json when closed."""
        self._path = out / "detections.json"
        self._ids = {name: number for number, name in enumerate(classes, start=1)}
        self._score_threshold = score_threshold
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        picture, detections = prediction.picture, prediction.detections
        image_id = len(self._images) + 1
        self._images.append(
            {
                "id": image_id,
                "file_name": writable(picture.name),
                "drawn": writable(f"{prediction.stem}.jpg"),
                "width": picture.image.width,
                "height": picture.image.height,
            }
        )
        boxes_xywh, areas = to_xywh(detections.boxes), area(detections.boxes)
        for i, name in enumerate(detections.classes):
            self._annotations.append(
                {
                    "id": len(self._annotations) + 1,
                    "image_id": image_id,
                    "category_id": self._ids[name],
                    "bbox": boxes_xywh[i].tolist(),
                    "score": float(detections.scores[i]),
                    "area": float(areas[i]),
                    "iscrowd": 0,
                }
            )

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        named = [f"{writable(each.name)}: {writable(each.reason)}" for each in unreadable]
        content = {
            "info": {"score_threshold": self._score_threshold, "unreadable": named},
            "images": self._images,
            "annotations": self._annotations,
            "categories": [{"id": number, "name": name} for name, number in self._ids.items()],
        }
        write_json(self._path, content)
        return self._path.name


class VocWriter:
    """Pascal VOC XML for each, to be corrected in an annotation tool and learned from.

    Boxes are in pixels as stored, which is what `ingest` takes them for. A frame of a video has no file: it is written
    beside, without boxes. The XML files lie in folders as the images do, `a/cat.xml` and `b/cat.xml`: VOC names no more
    than the image's file, and by the folders `ingest` tells images of one name apart.
    """

    draws = False

    def __init__(self, out: Path) -> None:
        """Write into the folder `out`/voc, and frames into `out`/frames."""
        self._out = out
        self._written = 0
        self._taken: set[str] = set()
        self._root: Path | None = None
        self._has_folders = self._has_frames = False

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        picture, classes = prediction.picture, prediction.detections.classes
        file, (width, height), boxes = _as_stored(prediction, self._out)
        folder = Path(file.parent.name) if picture.is_frame else picture.folder
        name, count = writable((folder / file.name).as_posix()), len(boxes)
        image = AnnotatedImage(name, width, height, boxes.round(), classes, flags(count), flags(count))
        target = self._out / "voc" / f"{unique_name((folder / file.stem).as_posix(), self._taken)}.xml"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_voc(image, target)
        except ValueError as error:
            why = "XML cannot hold every character in the name of the file, of its folder or of a class"
            raise FormatError(f"no XML file: {why}") from error
        self._written += 1
        self._has_frames |= picture.is_frame
        self._has_folders |= bool(folder.parts)
        if not picture.is_frame:
            self._root = lexically_absolute(file).parents[len(folder.parts)]

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        return f"voc/ with {self._written} XML files{self._how_to_ingest() if self._has_folders else ''}"

    def _how_to_ingest(self) -> str:
        """Where the images have to be for the folders of the XML files to lead to them."""
        if self._root is None:
            return f" (ingest.images: {os.path.relpath(self._out)})"
        if self._root == Path(self._root.anchor):
            return " (for ingest, copy the images into one folder, in folders as in voc/)"
        root = os.path.relpath(self._root)
        moved = f"move {os.path.relpath(self._out / 'frames')} into {root}, then " if self._has_frames else ""
        return f" ({moved}ingest.images: {root})"


class CsvWriter:
    """A table with a row for each detection, and one without a class for each picture without any."""

    draws = False

    def __init__(self, out: Path) -> None:
        """Write `out`/detections.csv when closed, and frames of videos into `out`/frames."""
        self._out = out
        self._rows: list[list[Any]] = []

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        file_name, size, boxes = _as_stored(prediction, self._out)
        about = [writable(file_name.as_posix()), *size]
        detections = prediction.detections
        for box, name, score in zip(boxes.tolist(), detections.classes, detections.scores.tolist(), strict=True):
            self._rows.append([*about, name, *(round(side, 2) for side in box), round(score, 6)])
        if not detections.classes:
            self._rows.append([*about, *[""] * 6])

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(_CSV)
        rows.writerows(self._rows)
        with replacing(self._out / "detections.csv") as beside:
            beside.write_text(text.getvalue(), encoding="utf-8", newline="")
        return "detections.csv"


class GifWriter:
    """One animated GIF of all pictures in their order, each fitted into the size of the first."""

    draws = True

    def __init__(self, out: Path, frames_per_s: float) -> None:
        """Write `out`/detections.gif when closed."""
        self._out = out
        self._frame_ms = round(1000 / frames_per_s)
        self._frames: list[Image.Image] = []
        self._left_out = 0

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        if len(self._frames) == _MOST_GIF_FRAMES:
            self._left_out += 1
            return
        small = prediction.drawn.copy()
        size = self._frames[0].size if self._frames else (_GIF_SIDE_PX, _GIF_SIDE_PX)
        small.thumbnail(size, Image.Resampling.LANCZOS)
        if self._frames and small.size != size:
            fitted = Image.new("RGB", size)
            fitted.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
            small = fitted
        self._frames.append(small.quantize(dither=Image.Dither.FLOYDSTEINBERG))

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        if not self._frames:
            return "no GIF: there was no picture"
        first, *others = self._frames
        with replacing(self._out / "detections.gif") as beside:
            first.save(
                beside, format="GIF", save_all=True, append_images=others, duration=self._frame_ms, loop=0, disposal=1
            )
        left_out = f"; the other {self._left_out} would make it too large" if self._left_out else ""
        return f"detections.gif of {len(self._frames)} pictures{left_out}"


def writable(text: str) -> str:
    """`text` as UTF-8 can hold it: names of files may hold bytes that are no text."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _as_stored(prediction: Prediction, out: Path) -> tuple[Path, tuple[int, int], Boxes]:
    """The image file, its size in pixels as stored, and the boxes there; a frame gets its file first."""
    picture = prediction.picture
    width, height = picture.image.size
    if picture.is_frame:
        file = out / "frames" / f"{prediction.stem}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        _save(picture.image, file)
        return file, (width, height), prediction.detections.boxes
    if picture.orientation in TURNED:
        width, height = height, width
    boxes = to_stored(prediction.detections.boxes, picture.orientation, width=width, height=height)
    return Path(picture.name), (width, height), boxes


def _save(image: Image.Image, target: Path) -> None:
    with replacing(target) as beside:
        image.save(beside, format="JPEG", quality=90)
