"""Finding the image that an annotation names, among the images below given folders and nowhere else.

A given folder may be a link; links to folders below one are not followed. A name in an annotation is a hint, never a
path to open: only files that the walk over the folders came to are returned.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from tasks.dataset.dataset import Problem
from tasks.ground.files import relative_to_here
from tasks.ground.text import quoted
from tasks.ground.walk import is_left_out, walk
from tasks.images.image_file import FORMAT_OF_SUFFIX

_ANNOTATION_FOLDERS = frozenset({"annotation", "annotations", "label", "labels", "xml", "xmls"})
_IMAGE_FOLDERS = ("images", "JPEGImages", "Images")


class FoundImage(NamedTuple):
    """The image, absolute, or None; and the problem, if any."""

    path: Path | None
    problem: Problem | None = None


class ImageFinder:
    """An index of the image files below some folders; each folder is walked once, links to folders are not followed.

    A place inside another is one of its own only where the walk over the other does not come to it: through a link, or
    below a hidden folder.

    Attributes:
        problems: links to folders outside, which were not searched.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        """Index `places`, the preferred ones first: a file in a later place is used only if no earlier one has it."""
        self.problems: list[Problem] = []
        self._places = _without_nested([lexically_absolute(place) for place in places])
        self._real_places = [Path(os.path.realpath(place)) for place in self._places]
        self._by_stem: defaultdict[str, list[Path]] = defaultdict(list)
        self._links_out: defaultdict[str, list[Path]] = defaultdict(list)
        self._no_files: defaultdict[str, list[Path]] = defaultdict(list)
        for place in self._places:
            self._index(place)

    def find(self, annotation: Path, written: str) -> FoundImage:
        """The image that the file `annotation` calls `written` (empty: it is called like the annotation itself)."""
        name = PurePosixPath(written.strip().replace("\\", "/") or annotation.stem)
        folder = lexically_absolute(annotation.parent)
        if self._climbs_out(name, folder):
            return _path_refusal(annotation, f"{quoted(written)} leads out of the searched folders")
        candidates = self._candidates(name, is_written=bool(written.strip()))
        if not candidates:
            return self._missing(annotation, written, name)
        path = self._choose(candidates, name, folder)
        if path is None:
            listed = ", ".join(relative_to_here(candidate) for candidate in candidates[:4])
            detail = f"{quoted(written)} could be any of {len(candidates)} files: {listed}"
            return FoundImage(None, Problem("ambiguous_image", annotation.as_posix(), detail, "dropped_image"))
        has_suffix = bool(written.strip()) and name.suffix.lower() in FORMAT_OF_SUFFIX
        if name.name != path.name and (has_suffix or name.name != path.stem):
            detail = f"the annotation names {quoted(written)}; the image is {relative_to_here(path)}"
            return FoundImage(path, Problem("renamed_image", annotation.as_posix(), detail, "kept"))
        return FoundImage(path)

    def others(self, used: Iterable[Path]) -> list[Path]:
        """The images that are not among `used`, sorted, from the places that hold at least one that is."""
        used_paths = set(used)
        places = {self._rank(path) for path in used_paths}
        indexed = (path for paths in self._by_stem.values() for path in paths)
        return sorted(path for path in indexed if path not in used_paths and self._rank(path) in places)

    def _index(self, place: Path) -> None:
        earlier = set(self._places[: self._places.index(place)])
        for here, folders, files in walk(place, enters=lambda folder: folder not in earlier):
            self._report_links_out(here / name for name in folders)
            for path in (here / name for name in files):
                if path.suffix.lower() in FORMAT_OF_SUFFIX:
                    self._index_for(path)[path.stem.casefold()].append(path)

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
        return path.is_symlink() and not _is_inside(Path(os.path.realpath(path)), self._real_places)

    def _climbs_out(self, name: PurePosixPath, folder: Path) -> bool:
        bases = (folder, *self._places)
        targets = (Path(os.path.normpath(base / name)) for base in bases)
        return ".." in name.parts and not any(_is_inside(target, self._places) for target in targets)

    def _candidates(self, name: PurePosixPath, *, is_written: bool) -> list[Path]:
        """Files of this name, where one is written; of this name and an extension; of this name with another extension.

        All from the first place that has any.
        """
        groups = [self._by_stem.get(stem, []) for stem in _stems(name)]
        named = [path for path in groups[-1] if path.name.casefold() == name.name.casefold()]
        for found in [named, *groups] if is_written else groups:
            if found:
                same_name = [path for path in found if path.name.casefold() == name.name.casefold()]
                ranked = [(self._rank(path), path) for path in same_name or found]
                return [path for rank, path in ranked if rank == min(ranked)[0]]
        return []

    def _choose(self, candidates: list[Path], name: PurePosixPath, folder: Path) -> Path | None:
        if len(candidates) == 1:
            return candidates[0]
        subfolder = Path() if _is_absolute(name) else name.parent
        bases = (folder, *image_folders_for(folder), *self._mirrored_folders(folder), *self._places)
        for where in (Path(os.path.normpath(base / subfolder)) for base in bases):
            here = [path for path in candidates if path.parent == where]
            exact = [path for path in here if path.name == name.name]
            if len(exact or here) == 1:
                return (exact or here)[0]
        scores = [
            (_shared_folders(path.parent, name.parent), _shared_folders(path.parent, folder)) for path in candidates
        ]
        best = [path for path, score in zip(candidates, scores, strict=True) if score == max(scores)]
        return best[0] if len(best) == 1 else None

    def _mirrored_folders(self, folder: Path) -> list[Path]:
        """Where in each place `folder` would be if the place were the one it is in: train -> PLACE/train.

        labels/train -> PLACE/labels/train first, for a folder of images may be called so, then PLACE/train.
        """
        own = next((place for place in self._places if folder.is_relative_to(place)), folder)
        names = folder.relative_to(own).parts
        image_names = tuple(name for name in names if name.casefold() not in _ANNOTATION_FOLDERS)
        return [place.joinpath(*path) for path in (names, image_names) for place in self._places]

    def _missing(self, annotation: Path, written: str, name: PurePosixPath) -> FoundImage:
        links = [path for stem in _stems(name) for path in self._links_out.get(stem, [])]
        if links:
            link, target = relative_to_here(links[0]), relative_to_here(links[0].resolve())
            return _path_refusal(annotation, f"{link} is a link to {target}, outside the searched folders")
        if _is_absolute(name):
            outside = f"{quoted(written)} lies outside the searched folders, which hold no image of that name"
            return _path_refusal(annotation, outside)
        searched = ", ".join(relative_to_here(place) for place in self._places)
        detail = f"no image {quoted(written or annotation.stem)} below {searched}"
        broken = [path for stem in _stems(name) for path in self._no_files.get(stem, [])]
        if broken:
            detail = f"{relative_to_here(broken[0])} cannot be read: it is a broken link, a pipe, or protected"
        return FoundImage(None, Problem("missing_image", annotation.as_posix(), detail, "dropped_image"))

    def _rank(self, path: Path) -> int:
        """The number of the place that `path` was found in: of places inside each other, the inner one."""
        holding = (number for number, place in enumerate(self._places) if path.is_relative_to(place))
        return max(holding, key=lambda number: len(self._places[number].parts))


def image_folders_for(folder: Path) -> list[Path]:
    """Where the images of annotations in `folder` usually are: annotations/train -> images/train, and images/ below."""
    mirrored = [
        Path(*folder.parts[:i], images, *folder.parts[i + 1 :])
        for i, part in reversed(list(enumerate(folder.parts)))
        if part.casefold() in _ANNOTATION_FOLDERS
        for images in _IMAGE_FOLDERS
    ]
    return [*mirrored, *(base / images for base in (folder, folder.parent) for images in _IMAGE_FOLDERS)]


def lexically_absolute(path: Path) -> Path:
    """The absolute path without `..`, links not followed: the name of a link matters here, not its target."""
    return Path(os.path.normpath(path.absolute()))


def _without_nested(places: list[Path]) -> list[Path]:
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


def _is_inside(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _is_absolute(name: PurePosixPath) -> bool:
    return name.is_absolute() or bool(PureWindowsPath(str(name)).drive)


def _stems(name: PurePosixPath) -> list[str]:
    """Of `a.b`: a.b, as .b may be of the name (a.webp.jpg); then a, as it may be an extension, or a wrong one."""
    return list(dict.fromkeys([name.name.casefold(), name.stem.casefold()]))


def _shared_folders(a: Path, b: PurePosixPath | Path) -> int:
    """How many folders, from the last backwards, two paths have in common."""
    count = 0
    for one, other in zip(reversed(a.parts), reversed(b.parts), strict=False):
        if one.casefold() != other.casefold():
            break
        count += 1
    return count


def _path_refusal(annotation: Path, why: str) -> FoundImage:
    return FoundImage(None, Problem("path_outside_root", annotation.as_posix(), why, "dropped_image"))
