"""Finding the image that an annotation names, among the images below given folders and nowhere else.

A given folder may be a link; links to folders below one are not followed. A name in an annotation is a hint, never a
path to open: only files that the walk over the folders came to are returned. Names are compared in Unicode's form NFC.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from tasks.dataset.dataset import Problem
from tasks.ground.files import relative_to_here
from tasks.ground.text import composed, folded, quoted
from tasks.images.changed_names import is_doubtful, path_in_address, readings
from tasks.images.image_file import FORMAT_OF_SUFFIX
from tasks.images.image_index import ImageIndex
from tasks.images.unread_formats import unread_kind

_ANNOTATION_FOLDERS = frozenset({"annotation", "annotations", "label", "labels", "xml", "xmls"})
_IMAGE_FOLDERS = ("images", "JPEGImages", "Images")


class FoundImage(NamedTuple):
    """The image, absolute, or None; and the problem, if any."""

    path: Path | None
    problem: Problem | None = None


class ImageFinder:
    """Finds images by the names that annotations give them.

    Attributes:
        problems: links to folders outside, which were not searched.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        """Index `places`, the preferred ones first: a file in a later place is used only if no earlier one has it."""
        self._index = ImageIndex([lexically_absolute(place) for place in places])
        self._places = self._index.places
        self.problems = self._index.problems

    def find(self, annotation: Path, written: str) -> FoundImage:
        """The image that the file `annotation` calls `written` (empty: it is called like the annotation itself).

        Where no image has this name, one is taken of whose name a tool may have made it.
        """
        text = written.strip().replace("\\", "/") or annotation.stem
        name = PurePosixPath(text)
        if is_doubtful(text):
            return self._find_changed(annotation, written, text) or self._missing(annotation, written, name)
        found = self._find_named(annotation, written, name)
        is_plain = path_in_address(text) == text
        if found.path is not None or (is_plain and self.has_name(name.name)):
            return found
        return self._find_changed(annotation, written, text) or found

    def has_name(self, name: str) -> bool:
        """Whether there is anything that could be the image `name`, be it a link to outside or unreadable."""
        index = self._index
        lists = (index.with_stem, index.links_out_with_stem, index.unreadable_with_stem)
        return any(paths_with(stem) for stem in _stems(PurePosixPath(name)) for paths_with in lists)

    def find_beside(self, annotation: Path, suffix: str) -> Path | None:
        """The image called like the file `annotation`, in its folder or where its images usually are.

        Of several in one folder the one with the extension `suffix` is taken; None where that does not decide.
        """
        candidates = self._index.with_stem(annotation.stem)
        for where in self._usual_folders(lexically_absolute(annotation.parent)):
            here = _in_folder(candidates, where)
            same = [path for path in here if path.suffix.casefold() == suffix.casefold()]
            if here:
                return _only(same or here)
        return None

    def others(self, used: Iterable[Path]) -> list[Path]:
        """The images that are not among `used`, sorted, from the places that hold at least one that is."""
        used_paths = set(used)
        places = {self._index.rank(path) for path in used_paths}
        unused = (path for path in self._index.paths() if path not in used_paths)
        return sorted(path for path in unused if self._index.rank(path) in places)

    def _find_named(self, annotation: Path, written: str, name: PurePosixPath) -> FoundImage:
        folder = lexically_absolute(annotation.parent)
        if self._climbs_out(name, folder):
            return _path_refusal(annotation, f"{quoted(written)} leads out of the searched folders")
        candidates = self._candidates(name, is_written=bool(written.strip()))
        if not candidates:
            return self._missing(annotation, written, name)
        path = self._choose(candidates, name, folder)
        if path is None:
            return _ambiguous(annotation, written, candidates)
        written_name = composed(name.name)
        has_suffix = bool(written.strip()) and name.suffix.lower() in FORMAT_OF_SUFFIX
        if written_name != composed(path.name) and (has_suffix or written_name != composed(path.stem)):
            return _renamed(annotation, written, path)
        return FoundImage(path)

    def _find_changed(self, annotation: Path, written: str, text: str) -> FoundImage | None:
        """The image of whose name a tool may have made the written one, `text`; None where there is none."""
        folder = lexically_absolute(annotation.parent)
        for reading in readings(text):
            original = PurePosixPath(reading.name)
            if self._climbs_out(original, folder):
                return None
            found = next(filter(None, map(self._index.with_key, reading.keys)), [])
            same_suffix = [path for path in found if path.suffix.casefold() == original.suffix.casefold()]
            candidates = same_suffix or found
            if candidates:
                one_name = len({folded(path.name) for path in candidates}) == 1
                path = self._choose(self._in_first_place(candidates), original, folder) if one_name else None
                return _renamed(annotation, written, path) if path else _ambiguous(annotation, written, candidates)
        return None

    def _climbs_out(self, name: PurePosixPath, folder: Path) -> bool:
        bases = (folder, *self._places)
        targets = (Path(composed(os.path.normpath(base / name))) for base in bases)
        return ".." in name.parts and not any(
            target.is_relative_to(composed(str(place))) for target in targets for place in self._places
        )

    def _candidates(self, name: PurePosixPath, *, is_written: bool) -> list[Path]:
        """Files of this name, where one is written; of this name and an extension; of this name with another extension.

        All from the first place that has any.
        """
        stems = _stems(name)
        groups = [self._index.with_stem(stem) for stem in stems]
        named = [path for path in groups[-1] if folded(path.name) == folded(name.name)]
        for found in [named, *groups] if is_written else groups:
            if found:
                same_name = [path for path in found if folded(path.name) == folded(name.name)] or found
                same_form = [path for path in same_name if path.stem.casefold() in {stem.casefold() for stem in stems}]
                return self._in_first_place(same_form or same_name)
        return []

    def _in_first_place(self, candidates: Sequence[Path]) -> list[Path]:
        ranks = [self._index.rank(path) for path in candidates]
        return [path for path, rank in zip(candidates, ranks, strict=True) if rank == min(ranks)]

    def _choose(self, candidates: list[Path], name: PurePosixPath, folder: Path) -> Path | None:
        if len(candidates) == 1:
            return candidates[0]
        subfolder = Path() if _is_absolute(name) else name.parent
        for base in self._usual_folders(folder):
            here = _in_folder(candidates, base / subfolder)
            exact = [path for path in here if path.name == name.name]
            if len(exact or here) == 1:
                return (exact or here)[0]
        scores = [
            (_shared_folders(path.parent, name.parent), _shared_folders(path.parent, folder)) for path in candidates
        ]
        best = [path for path, score in zip(candidates, scores, strict=True) if score == max(scores)]
        return best[0] if len(best) == 1 else None

    def _usual_folders(self, folder: Path) -> list[Path]:
        """Where the images of annotations in `folder` may be, the likeliest first."""
        return [folder, *image_folders_for(folder), *self._mirrored_folders(folder), *self._places]

    def _mirrored_folders(self, folder: Path) -> list[Path]:
        """Where in each place `folder` would be if the place were the one it is in: train -> PLACE/train.

        labels/train -> PLACE/labels/train first, for a folder of images may be called so, then PLACE/train.
        """
        own = next((place for place in self._places if folder.is_relative_to(place)), folder)
        names = folder.relative_to(own).parts
        image_names = tuple(name for name in names if name.casefold() not in _ANNOTATION_FOLDERS)
        return [place.joinpath(*path) for path in (names, image_names) for place in self._places]

    def _missing(self, annotation: Path, written: str, name: PurePosixPath) -> FoundImage:
        links = [path for stem in _stems(name) for path in self._index.links_out_with_stem(stem)]
        if links:
            link, target = relative_to_here(links[0]), relative_to_here(links[0].resolve())
            return _path_refusal(annotation, f"{link} is a link to {target}, outside the searched folders")
        if _is_absolute(name):
            outside = f"{quoted(written)} lies outside the searched folders, which hold no image of that name"
            return _path_refusal(annotation, outside)
        searched = ", ".join(relative_to_here(place) for place in self._places)
        detail = f"no image {quoted(written or annotation.stem)} below {searched}"
        broken = [path for stem in _stems(name) for path in self._index.unreadable_with_stem(stem)]
        if broken:
            detail = f"{relative_to_here(broken[0])} cannot be read: it is a broken link, a pipe, or protected"
        unread = [path for stem in _stems(name) for path in self._index.of_other_formats_with_stem(stem)]
        if unread and not broken:
            detail = f"{relative_to_here(unread[0])} is {unread_kind(unread[0])}"
        return FoundImage(None, Problem("missing_image", annotation.as_posix(), detail, "dropped_image"))


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


def _is_absolute(name: PurePosixPath) -> bool:
    return name.is_absolute() or bool(PureWindowsPath(str(name)).drive)


def _stems(name: PurePosixPath) -> list[str]:
    """Of `a.b`: a.b, as .b may be of the name (a.webp.jpg); then a, as it may be an extension, or a wrong one."""
    return list(dict.fromkeys([name.name, name.stem]))


def _shared_folders(a: Path, b: PurePosixPath | Path) -> int:
    """How many folders, from the last backwards, two paths have in common."""
    count = 0
    for one, other in zip(reversed(a.parts), reversed(b.parts), strict=False):
        if folded(one) != folded(other):
            break
        count += 1
    return count


def _in_folder(paths: Sequence[Path], folder: Path) -> list[Path]:
    where = composed(os.path.normpath(folder))
    return [path for path in paths if composed(str(path.parent)) == where]


def _only(paths: Sequence[Path]) -> Path | None:
    return paths[0] if len(paths) == 1 else None


def _renamed(annotation: Path, written: str, path: Path) -> FoundImage:
    names = f"names {quoted(written)}" if written.strip() else f"is called {quoted(annotation.name)}"
    detail = f"the annotation {names}; the image is {relative_to_here(path)}"
    return FoundImage(path, Problem("renamed_image", annotation.as_posix(), detail, "kept"))


def _ambiguous(annotation: Path, written: str, candidates: Sequence[Path]) -> FoundImage:
    listed = ", ".join(relative_to_here(candidate) for candidate in candidates[:4])
    detail = f"{quoted(written or annotation.stem)} could be any of {len(candidates)} files: {listed}"
    return FoundImage(None, Problem("ambiguous_image", annotation.as_posix(), detail, "dropped_image"))


def _path_refusal(annotation: Path, why: str) -> FoundImage:
    return FoundImage(None, Problem("path_outside_root", annotation.as_posix(), why, "dropped_image"))
