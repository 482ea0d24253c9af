"""One run of `predict-folder`: the new photos of a folder through a detector, a few hundred at a time."""

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tasks.dataset.detections import Detector
from tasks.errors import BusyError, DataError, StoppedError
from tasks.ground.files import remove_leftovers_below
from tasks.ground.text import counted
from tasks.prediction.inputs import Picture
from tasks.prediction.ledger import LEDGER, Entry, Ledger
from tasks.prediction.new_photos import Found, Plan, Planner, Rules, find_photos
from tasks.prediction.photo_results import Photo, copy_result, read_result, remove_old_drawing, result_path
from tasks.prediction.result_writer import ResultWriter, take_down
from tasks.prediction.run import predict_pictures
from tasks.prediction.writer import encodable

# Hashed together, then detected in: what is read for the one is then in memory for the other.
_TOGETHER = 256
_LOCK = ".predict-folder.lock"


@dataclass
class Summary:
    """What a run saw and did.

    Attributes:
        photos: how many photos are in the folder.
        detected: how many were detected in.
        copied: how many got the result of another photo of the same content.
        recovered: how many had a result that was not in the ledger: of a killed run, or of a ledger that was lost.
        too_new: names of those that changed so lately that they are left for the next run.
        changed: names of those that were written to while they were read, and are left for the next run, too.
        gone: names of those that went during the run.
        unreadable: all that cannot be read, by name with the reason.
        drawings_removed: how many results without a drawing replaced one with a drawing.
        again: how many of those that were done, or that cannot be read now, had been done with other settings.
        newly_unreadable: how many of these were tried in this run.
        boxes: how many boxes of each class were found in this run.
        boxes_in_all: how many of each class are in the results of the photos that are there.
        seconds: reading, detecting, drawing and writing.
    """

    photos: int = 0
    detected: int = 0
    copied: int = 0
    recovered: int = 0
    drawings_removed: int = 0
    again: int = 0
    too_new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    newly_unreadable: int = 0
    boxes: Counter[str] = field(default_factory=Counter)
    boxes_in_all: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, writer: ResultWriter, again: Set[str]) -> None:
        """Add what was detected in, left or found unreadable; `again` are names of photos that were done before."""
        self.changed += writer.changed
        self.gone += writer.gone
        self.drawings_removed += writer.drawings_removed
        for entry in writer.entries:
            self.boxes.update(entry.boxes)
            self.detected += entry.made is not None
            self.newly_unreadable += entry.made is None
            self.again += entry.name in again

    @property
    def done(self) -> int:
        """How many got a result."""
        return self.detected + self.copied + self.recovered

    @property
    def new(self) -> int:
        """How many were new or had changed, without those that are left for the next run."""
        return self.done + self.newly_unreadable - self.again

    @property
    def images_per_s(self) -> float:
        """How fast photos were detected in; 0 where there were none."""
        return self.detected / self.seconds if self.seconds else 0.0


class FolderRun:
    """A run over the photos of one folder; for the process that holds its lock."""

    def __init__(
        self,
        folder: Path,
        out: Path,
        rules: Rules,
        load: Callable[[], Detector],
        *,
        batch_size: int,
        look: Callable[[Picture], None] | None = None,
    ) -> None:
        """Prepare it; `load` gives the detector, and is called where there is something to detect in.

        `look` gets each photo that was detected in.

        Raises:
            DataError: `out` has the results of another folder.
        """
        # A folder without one may be anybody's.
        if (out / LEDGER).exists():
            remove_leftovers_below(out)
        self._out, self._rules, self._load, self._batch_size, self._look = out, rules, load, batch_size, look
        self._detector: Detector | None = None
        self._ledger = Ledger(out, folder)
        self._planner = Planner(folder, out, self._ledger, rules)

    def run(self, found: Found, report: Callable[[str], None]) -> Summary:
        """Do what is new among the photos `found`; `report` gets a line now and then.

        Raises:
            StoppedError: Ctrl-C; what was done is in the ledger.
        """
        summary = Summary(photos=len(found.names))
        try:
            for start in range(0, len(found.names), _TOGETHER):
                plan = self._planner.plan(found.names[start : start + _TOGETHER])
                self._do(plan, summary)
                if plan.detect:
                    seen = min(start + _TOGETHER, summary.photos)
                    report(f"{seen} of {counted(summary.photos, 'photo')} looked at, {summary.done} done")
        except KeyboardInterrupt as stop:
            raise StoppedError(f"stopped; {counted(summary.done, 'photo')} done; run it again to go on") from stop
        self._add_state(found, summary)
        return summary

    def _do(self, plan: Plan, summary: Summary) -> None:
        take_down([*plan.touched, *plan.recovered], self._out, self._ledger)
        summary.recovered += len(plan.recovered)
        summary.too_new += plan.too_new
        summary.gone += plan.gone
        summary.unreadable |= plan.unreadable
        summary.newly_unreadable += len(plan.unreadable)
        self._detect(plan.detect, summary, plan.again)
        copied: list[Entry] = []
        rest: list[Photo] = []
        for photo in plan.copies:
            entry = self._copy(photo, summary)
            if entry is None:
                rest.append(photo)
            else:
                copied.append(entry)
        take_down(copied, self._out, self._ledger)
        summary.copied += len(copied)
        summary.again += sum(entry.name in plan.again for entry in [*plan.recovered, *copied])
        self._detect(rest, summary, plan.again)

    def _copy(self, photo: Photo, summary: Summary) -> Entry | None:
        old = read_result(result_path(self._out, photo.name))
        copies = (copy_result(photo, source, self._out) for source in self._planner.sources(photo))
        entry = next(filter(None, copies), None)
        if entry is not None and entry.made is not None and not entry.made.drawn:
            summary.drawings_removed += remove_old_drawing(self._out, photo.name, old)
        return entry

    def _detect(self, photos: Sequence[Photo], summary: Summary, again: Set[str]) -> None:
        if not photos:
            return
        if self._detector is None:
            self._detector = self._load()
        made = self._rules.made
        writer = ResultWriter(self._out, photos, self._ledger, made, self._detector.classes)
        paths = [photo.path for photo in photos]
        try:
            outcome = predict_pictures(
                paths, self._detector, [writer], made.score_threshold, batch_size=self._batch_size, look=self._look
            )
            summary.seconds += outcome.seconds
        except KeyboardInterrupt:
            # The next run has not to find out what was written.
            writer.flush()
            raise
        finally:
            summary.add(writer, again)

    def _add_state(self, found: Found, summary: Summary) -> None:
        """Add what holds of the folder, whichever run did it."""
        left = {*summary.too_new, *summary.changed, *summary.gone}
        for name in found.names:
            entry = self._ledger.get(name)
            if entry is None or name in summary.unreadable or name in left:
                continue
            if entry.unreadable is not None:
                summary.unreadable[name] = entry.unreadable
            summary.boxes_in_all.update(entry.boxes)
        for names in (summary.too_new, summary.changed, summary.gone):
            names[:] = map(encodable, names)
        summary.unreadable = {encodable(name): reason for name, reason in summary.unreadable.items()}


@contextmanager
def results_lock(out: Path) -> Iterator[None]:
    """Make the folder `out`, and lock it for this process; the kernel drops the lock with it, however that ends.

    Raises:
        BusyError: another process holds it.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"{out}: another run works here; this one did nothing") from error
        yield


def predict_new(
    folder: Path,
    out: Path,
    rules: Rules,
    load: Callable[[], Detector],
    *,
    batch_size: int,
    report: Callable[[str], None],
    look: Callable[[Picture], None] | None = None,
) -> tuple[Summary, list[Path]]:
    """Detect in the photos of `folder` that are new, and write their results into `out`.

    `look` gets each photo that was detected in.

    Returns:
        The summary, and the files that are no images.

    Raises:
        DataError: there is no such folder, or `out` is a file, is it, holds it, or has results of another.
        BusyError: another process works there.
    """
    if out.exists() and not out.is_dir():
        raise DataError(f"--out {out}: a file of that name is there; name a folder")
    if folder.resolve().is_relative_to(out.resolve()):
        raise DataError(f"--out {out}: the photos of {folder} lie there; name a folder in it or beside it")
    found = find_photos(folder, out)
    with results_lock(out):
        run = FolderRun(folder, out, rules, load, batch_size=batch_size, look=look)
        return run.run(found, report), found.others
