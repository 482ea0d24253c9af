"""The image files below some folders and nowhere else, by name."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from tasks.dataset.dataset import Problem
from tasks.ground.files import relative_to_here
from tasks.ground.text import folded
from tasks.ground.walk import is_left_out, walk
from tasks.images.changed_names import keys_of_file
from tasks.images.image_file import FORMAT_OF_SUFFIX
from tasks.images.unread_formats import unread_kind


class ImageIndex:
    """Each folder is walked once; links to folders are not followed.

    A place inside another is one of its own only where the walk over the other does not come to it: through a link, or
    below a hidden folder.

    Attributes:
        places: absolute, the preferred ones first.
        problems: links to folders outside, which were not searched.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        """Index `places`, absolute folders, the preferred ones first."""
        self.problems: list[Problem] = []
        self.places = _without_nested(places)
        self._real_places = [Path(os.path.realpath(place)) for place in self.places]
        self._by_stem: defaultdict[str, list[Path]] = defaultdict(list)
        self._links_out: defaultdict[str, list[Path]] = defaultdict(list)
        self._no_files: defaultdict[str, list[Path]] = defaultdict(list)
        self._of_other_formats: defaultdict[str, list[Path]] = defaultdict(list)
        for place in self.places:
            self._index(place)

    def with_stem(self, stem: str) -> list[Path]:
        """The images of this name without its extension, whatever its capitals and its Unicode form."""
        return self._by_stem.get(folded(stem), [])

    def with_key(self, key: str) -> list[Path]:
        """The images that have `key` among `keys_of_file`: tools may have made another name of theirs."""
        return self._by_key.get(key, [])

    def links_out_with_stem(self, stem: str) -> list[Path]:
        """The links to images outside."""
        return self._links_out.get(folded(stem), [])

    def unreadable_with_stem(self, stem: str) -> list[Path]:
        """What is called like an image and is a broken link, a folder, a pipe, or protected."""
        return self._no_files.get(folded(stem), [])

    def of_other_formats_with_stem(self, stem: str) -> list[Path]:
        """Images in formats that are not read."""
        return self._of_other_formats.get(folded(stem), [])

    def paths(self) -> list[Path]:
        """All images."""
        return [path for paths in self._by_stem.values() for path in paths]

    def rank(self, path: Path) -> int:
        """The number of the place that `path` was found in: of places inside each other, the inner one."""
        holding = (number for number, place in enumerate(self.places) if path.is_relative_to(place))
        return max(holding, key=lambda number: len(self.places[number].parts))

    @cached_property
    def _by_key(self) -> dict[str, list[Path]]:
        """Made only where an image is not found by its name."""
        paths_of: defaultdict[str, list[Path]] = defaultdict(list)
        for path in self.paths():
            for key in keys_of_file(path.stem):
                paths_of[key].append(path)
        return paths_of

    def _index(self, place: Path) -> None:
        earlier = set(self.places[: self.places.index(place)])
        for here, folders, files in walk(place, enters=lambda folder: folder not in earlier):
            self._report_links_out(here / name for name in folders)
            for path in (here / name for name in files):
                if path.suffix.lower() in FORMAT_OF_SUFFIX:
                    self._index_for(path)[folded(path.stem)].append(path)
                elif unread_kind(path):
                    self._of_other_formats[folded(path.stem)].append(path)

    def _index_for(self, path: Path) -> "defaultdict[str, list[Path]]":
        if self._leads_outside(path):
            return self._links_out
        # Opening a pipe would wait without end.
        return self._by_stem if path.is_file() and os.access(path, os.R_OK) else self._no_files

    def _report_links_out(self, folders: Iterable[Path]) -> None:
        for path in folders:
            if self._leads_outside(path):
                detail = "a link to a folder outside: it is not searched; set ingest.images to that folder"
                self.problems.append(Problem("path_outside_root", relative_to_here(path), detail, "kept"))

    def _leads_outside(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return path.is_symlink() and not any(real.is_relative_to(place) for place in self._real_places)


def _without_nested(places: Sequence[Path]) -> list[Path]:
    kept: list[Path] = []
    for place in places:
        if not any(_is_walked_to(place, other) for other in kept):
            kept.append(place)
    return kept


def _is_walked_to(place: Path, start: Path) -> bool:
    """Whether a walk over `start` comes to `place`, which it may be itself."""
    if not place.is_relative_to(start):
        return False
    names = place.relative_to(start).parts
    between = (start.joinpath(*names[: i + 1]) for i in range(len(names)))
    return not any(is_left_out(path.name) or path.is_symlink() for path in between)
