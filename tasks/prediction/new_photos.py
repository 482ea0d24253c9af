"""Which photos of a folder that grows are new, by their content, and what is to be done with each."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tasks.errors import DataError
from tasks.ground.files import sha256_of
from tasks.ground.walk import walk
from tasks.images.image_file import FORMAT_OF_SUFFIX
from tasks.prediction.ledger import LEDGER, Entry, Ledger, Made, Stamp, stamp_of
from tasks.prediction.photo_results import Photo, found_result


@dataclass(frozen=True)
class Found:
    """What is in a folder.

    Attributes:
        names: of its photos, relative to it, with forward slashes.
        others: files that are no images by their suffix.
    """

    names: list[str]
    others: list[Path]


@dataclass
class Plan:
    """What is to be done with some photos.

    Attributes:
        detect: those to detect in, each content once.
        again: names of those that were done before and are to be done with other settings.
        copies: those that have the content of another one, or of an earlier one: they get its result.
        touched: entries, with their new stamps, of files that have the content that they had.
        recovered: entries of results that a killed run wrote and did not take down.
        too_new: names of those that changed so lately that they may still be being written.
        gone: names of those that went since the folder was searched.
        unreadable: names of those that cannot be opened, and why.
    """

    detect: list[Photo] = field(default_factory=list)
    copies: list[Photo] = field(default_factory=list)
    touched: list[Entry] = field(default_factory=list)
    recovered: list[Entry] = field(default_factory=list)
    too_new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Rules:
    """When a photo is to be done.

    Attributes:
        made: what new results are made with.
        again: also do what was done with another model or score threshold.
        settle_s: leave files that changed within so many seconds.
    """

    made: Made
    again: bool
    settle_s: float

    def accepts(self, entry: Entry) -> bool:
        """Whether the result of `entry` is to stay."""
        if not self.again or entry.made is None:
            return True
        same = (entry.made.model, entry.made.score_threshold) == (self.made.model, self.made.score_threshold)
        return same and (entry.made.drawn or not self.made.drawn)


def find_photos(folder: Path, out: Path) -> Found:
    """The photos in `folder` and its subfolders, without those in folders of results: `out`, and those with a ledger.

    Raises:
        DataError: there is no such folder, or one below may not be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that photos are put into")
    results = out.resolve()
    names: list[str] = []
    others: list[Path] = []

    def holds_photos(below: Path) -> bool:
        return below.resolve() != results and not (below / LEDGER).exists()

    for here, _, files in walk(folder, holds_photos):
        for name in files:
            path = here / name
            if path.suffix.lower() in FORMAT_OF_SUFFIX:
                names.append(path.relative_to(folder).as_posix())
            else:
                others.append(path)
    return Found(names, others)


class Planner:
    """Tells new photos of a folder from those that are done."""

    def __init__(self, folder: Path, out: Path, ledger: Ledger, rules: Rules) -> None:
        """For the photos of `folder`, whose results are in `out`."""
        self._folder, self._out, self._ledger, self._rules = folder, out, ledger, rules

    def plan(self, names: Iterable[str]) -> Plan:
        """What is to be done with the photos `names`; one that is unchanged since it was done is not read."""
        plan = Plan()
        contents: set[str] = set()
        for name in names:
            photo = self._changed_photo(name, plan)
            if photo is None:
                continue
            known = self._ledger.get(name)
            if known is not None and known.sha256 == photo.sha256:
                if self._rules.accepts(known):
                    plan.touched.append(known.model_copy(update={"stamp": photo.stamp}))
                    continue
                plan.again.add(name)
            if (entry := found_result(photo, self._out)) is not None and self._rules.accepts(entry):
                contents.add(photo.sha256)
                plan.recovered.append(entry)
            elif photo.sha256 in contents or self.sources(photo):
                plan.copies.append(photo)
            else:
                contents.add(photo.sha256)
                plan.detect.append(photo)
        return plan

    def sources(self, photo: Photo) -> list[Entry]:
        """The photos of the same content whose result `photo` may get."""
        return [entry for entry in self._ledger.results_of(photo.sha256) if self._rules.accepts(entry)]

    def _changed_photo(self, name: str, plan: Plan) -> Photo | None:
        """The photo, unless it is done and unchanged, or cannot be read now: then `plan` says why."""
        path = self._folder / name
        known, stamp = self._ledger.get(name), stamp_of(path)
        if known is not None and known.stamp == stamp:
            return None if self._rules.accepts(known) else Photo(name, path, known.stamp, known.sha256)
        if stamp is None and not os.path.lexists(path):
            plan.gone.append(name)
        elif stamp is None or not path.is_file():
            plan.unreadable[name] = "a broken link, a pipe or a device"
        elif _is_unsettled(stamp, self._rules.settle_s):
            plan.too_new.append(name)
        else:
            try:
                return Photo(name, path, stamp, sha256_of(path))
            except OSError as error:
                plan.unreadable[name] = f"cannot be opened: {error.strerror}"
        return None


def _is_unsettled(stamp: Stamp, seconds: float) -> bool:
    """Whether the file was written to within so many seconds.

    A camera's clock may be ahead: a time far in the future says nothing, and must not keep a photo waiting for good.
    """
    now = time.time()
    return any(abs(now - changed_ns / 1e9) < seconds for changed_ns in (stamp.mtime_ns, stamp.ctime_ns))
