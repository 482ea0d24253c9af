"""Predictions as annotations that `ingest` reads: Pascal VOC XML and CSV, boxes in pixels as stored."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.errors import FormatError
from tasks.formats.pascal_voc import write_voc
from tasks.ground.files import relative_to_here, replacing
from tasks.ground.spreadsheet import text_to_cell
from tasks.ground.text import counted
from tasks.images.image_finder import lexically_absolute
from tasks.prediction.inputs import Unreadable, unique_name
from tasks.prediction.writer import Output, Prediction, as_stored, encodable

_COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax", "score")


class VocWriter:
    """Pascal VOC XML for each, to be corrected in an annotation tool and learned from.

    A frame of a video has no file: it is written beside, without boxes. The XML files lie in folders as the images do,
    `a/cat.xml` and `b/cat.xml`: VOC names the image's file alone, and `ingest` tells images of one name apart by
    their folders.
    """

    draws = False
    encodes = False

    def __init__(self, output: Output) -> None:
        """Write into voc/, and frames into frames/."""
        self._folder = output.folder
        self._count = 0
        self._names: set[str] = set()
        self._root: Path | None = None
        self._has_folders = self._has_frames = False

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        picture, classes = prediction.picture, prediction.detections.classes
        file, (width, height), boxes = as_stored(prediction, self._folder)
        folder = Path(file.parent.name) if picture.is_frame else picture.folder
        name, count = encodable((folder / file.name).as_posix()), len(boxes)
        image = AnnotatedImage(name, width, height, boxes.round(), classes, flags(count), flags(count))
        target = self._folder / "voc" / f"{unique_name((folder / file.stem).as_posix(), self._names)}.xml"
        try:
            write_voc(image, target)
        except ValueError as error:
            why = "XML cannot hold every character in the name of the file, of its folder or of a class"
            raise FormatError(f"no XML file: {why}: rename it") from error
        self._count += 1
        self._has_frames |= picture.is_frame
        self._has_folders |= bool(folder.parts)
        if not picture.is_frame:
            self._root = lexically_absolute(file).parents[len(folder.parts)]

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        return f"voc/ with {counted(self._count, 'XML file')}{self._how_to_ingest() if self._has_folders else ''}"

    def _how_to_ingest(self) -> str:
        """Where the images must be, so that the folders of the XML files lead to them."""
        if self._root is None:
            return f" (ingest.images: {relative_to_here(self._folder)})"
        if self._root == Path(self._root.anchor):
            return " (for ingest, copy the images into one folder, in folders as in voc/)"
        root = relative_to_here(self._root)
        move = f"move {relative_to_here(self._folder / 'frames')} into {root}, then " if self._has_frames else ""
        return f" ({move}ingest.images: {root})"


class CsvWriter:
    """A row for each detection; a picture without detections has one row without a class."""

    draws = False
    encodes = False

    def __init__(self, output: Output) -> None:
        """Write detections.csv when closed, and frames of videos into frames/."""
        self._folder = output.folder
        self._rows: list[list[str | float]] = []

    def add(self, prediction: Prediction) -> None:
        """See `Writer`."""
        file, size, boxes = as_stored(prediction, self._folder)
        start: list[str | float] = [text_to_cell(encodable(file.as_posix())), *size]
        detections = prediction.detections
        for box, name, score in zip(boxes.tolist(), detections.classes, detections.scores.tolist(), strict=True):
            self._rows.append([*start, text_to_cell(name), *(round(side, 2) for side in box), round(score, 6)])
        if not detections.classes:
            self._rows.append([*start, *[""] * 6])

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows(self._rows)
        path = self._folder / "detections.csv"
        with replacing(path) as beside:
            beside.write_text(text.getvalue(), encoding="utf-8", newline="")
        return path.name
