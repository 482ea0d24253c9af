"""Writing the results of `predict-folder`: first whole on the disk, then in the ledger."""

import errno
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.ground.files import write_json
from tasks.ground.text import counted, printable
from tasks.prediction.inputs import Unreadable
from tasks.prediction.json_file import JsonWriter
from tasks.prediction.ledger import Entry, Ledger, Made, stamp_of
from tasks.prediction.photo_results import (
    Photo,
    drawn_path,
    obstacle,
    read_result,
    remove_old_drawing,
    remove_result,
    result_path,
)
from tasks.prediction.writer import Output, Prediction, save_bytes

# What the disk must hold before the ledger says so; more together are cheaper.
_TOGETHER = 32


class ResultWriter:
    """Writes the result of each photo, then takes it down in the ledger.

    Attributes:
        entries: what was taken down.
        changed: names of photos that were written to while they were read.
        gone: names of photos that went while they were read.
        drawings_removed: how many results without a drawing replaced one with a drawing.
    """

    def __init__(self, out: Path, photos: Sequence[Photo], ledger: Ledger, made: Made, classes: Sequence[str]) -> None:
        """Write into `out` what is found in `photos`; `classes` are the detector's."""
        self.draws = self.encodes = made.drawn
        self.entries: list[Entry] = []
        self.changed: list[str] = []
        self.gone: list[str] = []
        self.drawings_removed = 0
        self._out, self._ledger, self._made = out, ledger, made
        self._output = Output(out, classes, made.score_threshold, frames_per_s=1.0)
        self._photos = {str(photo.path): photo for photo in photos}
        self._pending: list[Entry] = []

    def add(self, prediction: Prediction) -> None:
        """See `Writer`; a photo that was written to meanwhile is left for the next run."""
        photo = self._photos[prediction.picture.name]
        if not self._is_unchanged(photo):
            return
        entry = Entry(name=photo.name, sha256=photo.sha256, stamp=photo.stamp)
        why = self._write_unless(photo, prediction)
        if why is not None:
            remove_result(self._out, photo.name)
            self._remove_drawing(photo)
            self._take(entry.model_copy(update={"unreadable": why}))
            return
        boxes = dict(Counter(prediction.detections.classes))
        self._take(entry.model_copy(update={"made": self._made, "boxes": boxes}))

    def close(self, unreadable: Sequence[Unreadable]) -> str:
        """See `Writer`."""
        for each in unreadable:
            photo = self._photos[each.name]
            if not self._is_unchanged(photo):
                continue
            why = printable(each.reason)
            remove_result(self._out, photo.name)
            self._take(Entry(name=photo.name, sha256=photo.sha256, stamp=photo.stamp, unreadable=why))
        self.flush()
        return counted(len(self.entries), "photo")

    def flush(self) -> None:
        """Take down in the ledger what was written."""
        take_down(self._pending, self._out, self._ledger)
        self._pending = []

    def _is_unchanged(self, photo: Photo) -> bool:
        """Whether the file is the one that was read; else it is noted as changed or gone."""
        if stamp_of(photo.path) == photo.stamp:
            return True
        (self.changed if os.path.lexists(photo.path) else self.gone).append(photo.name)
        return False

    def _write_unless(self, photo: Photo, prediction: Prediction) -> str | None:
        """Write the result; why not, where the photo's name allows none."""
        try:
            why = obstacle(self._out, photo.name, drawn=self._made.drawn)
            if why is None:
                self._write(photo, prediction)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return "its name is too long for a result called after it: rename it"
        return why

    def _write(self, photo: Photo, prediction: Prediction) -> None:
        if self._made.drawn:
            save_bytes(prediction.jpeg, drawn_path(self._out, photo.name))
        path = result_path(self._out, photo.name)
        old = read_result(path)
        writer = JsonWriter(self._output)
        writer.add(replace(prediction, picture=replace(prediction.picture, name=photo.name), stem=photo.name))
        content: Any = writer.content({"sha256": photo.sha256, "model": self._made.model})
        if not self._made.drawn:
            content["images"][0]["drawn"] = None
        write_json(path, content)
        if not self._made.drawn:
            self.drawings_removed += remove_old_drawing(self._out, photo.name, old)

    def _remove_drawing(self, photo: Photo) -> None:
        """Remove the picture of a photo without a result: its name is shorter than the result's and may have fitted."""
        with suppress(OSError):
            drawn_path(self._out, photo.name).unlink()

    def _take(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._pending.append(entry)
        if len(self._pending) == _TOGETHER:
            self.flush()


def take_down(entries: Sequence[Entry], out: Path, ledger: Ledger) -> None:
    """Add `entries` to the ledger, after what they tell of is on the disk: a power failure takes neither alone."""
    files = [result_path(out, entry.name) for entry in entries if entry.made]
    files += [drawn_path(out, entry.name) for entry in entries if entry.made and entry.made.drawn]
    for path in [*files, *sorted({file.parent for file in files})]:
        _wait_for_disk(path)
    ledger.add(entries)


def _wait_for_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
