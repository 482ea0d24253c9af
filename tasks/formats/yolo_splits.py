"""The split that the author of a YOLO data set chose: folders and lists of images that data.yaml names.

The paths in it are those of the author's machine. None is followed: a folder is compared with those in which images
were found, and a list is opened only below the data set's own folder.
"""

import os
import posixpath
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tasks.dataset.dataset import Problem
from tasks.dataset.splits import most_protected, split_named
from tasks.formats.given_splits import list_lines
from tasks.formats.yolo_labels import lists_images
from tasks.formats.yolo_names import read_described
from tasks.ground.files import relative_to_here
from tasks.ground.text import quoted
from tasks.images.image_file import FORMAT_OF_SUFFIX
from tasks.images.image_finder import lexically_absolute

# Longer paths are compared by their last parts.
_MAX_PARTS = 8
_MAX_ENTRIES = 1000
_LISTS = tuple(f"{prefix}{split}.txt" for prefix in ("", "autosplit_") for split in ("train", "val", "valid", "test"))
_Parts = tuple[str, ...]


class _Entry(NamedTuple):
    """A folder or a list that stands for a split, as written, and with the data set's root before it."""

    split: str
    text: str
    path: str


def splits_of_yolo(
    source: Path, images: Sequence[Path], places: Sequence[Path]
) -> tuple[dict[Path, str], list[Problem]]:
    """The split of each of `images` to which data.yaml in `source` gives one; and the entries that give none.

    `places` are the folders below which the images were found: names of folders above them say nothing. Of an image in
    several lists, test goes before val and val before train. Of folders, the innermost counts; one that is given for
    train and for another split says nothing. Without data.yaml's word, train.txt, val.txt and test.txt beside it count.

    Raises:
        FormatError: data.yaml or a list is not in its format.
    """
    described = read_described(source)
    file = relative_to_here(described.file or source)
    entries = [
        _Entry(split, text, posixpath.join(*_slashed(described.root, text)))
        for split, texts in described.splits.items()
        for text in texts[:_MAX_ENTRIES]
    ]
    lists = [entry for entry in entries if entry.path.lower().endswith(".txt")]
    folders = [entry for entry in entries if not entry.path.lower().endswith(".txt")]
    found = _Folders(images, places)
    by_list, unread = _by_lists(lists if entries else _lists_beside(source), source, found, file)
    by_folder, empty = _by_folders(folders, source, found, file)
    return {**by_folder, **by_list}, [*unread, *empty]


def _lists_beside(source: Path) -> list[_Entry]:
    paths = (source / name for name in _LISTS)
    names = [path.name for path in paths if path.is_file() and lists_images(path)]
    return [_Entry(split_named(name.removeprefix("autosplit_").removesuffix(".txt")), name, name) for name in names]


def _slashed(*texts: str) -> list[str]:
    return [text.replace("\\", "/") for text in texts]


def _parts(text: str) -> _Parts:
    """The folders and the name in a path, without what leads out of it."""
    parts = posixpath.normpath(text.replace("\\", "/")).split("/")
    return tuple(part.casefold() for part in parts if part not in ("", ".", "..") and not part.endswith(":"))


def _unused(file: str, entry: _Entry, why: str) -> Problem:
    return Problem("given_split_unused", file, f"{entry.split}: {quoted(entry.text)}: {why}", "kept")


class _Folders:
    """The images found, and what can be said of their folders in a path from elsewhere."""

    def __init__(self, images: Sequence[Path], places: Sequence[Path]) -> None:
        self.images = images
        self._places = [lexically_absolute(place) for place in places]
        self.keys = {folder: self._keys(folder) for folder in {image.parent for image in images}}

    def _below(self, folder: Path) -> int:
        """The number of the first part of `folder` below the places."""
        path = lexically_absolute(folder)
        above = (len(_parts(place.as_posix())) for place in self._places if path.is_relative_to(place))
        return min(above, default=len(_parts(path.as_posix())))

    def _keys(self, folder: Path) -> list[_Parts]:
        """What `folder`, or one around it, can be called: `/` and its path, or parts below a place; inner first."""
        parts = _parts(lexically_absolute(folder).as_posix())
        below = self._below(folder)
        keys: list[_Parts] = []
        for end in range(len(parts), 0, -1):
            keys.append(("/", *parts[:end]))
            keys += [parts[start:end] for start in range(below, end)]
        return keys

    def find(self, line: str) -> tuple[int, list[Path]]:
        """The images whose paths end most like `line`, several where they do equally, and in how many parts."""
        *folders, name = _parts(line) or ("",)
        path = PurePosixPath(name)
        stem = path.stem if path.suffix in FORMAT_OF_SUFFIX else name
        for index, last in ((self._by_name, name), (self._by_stem, stem)):
            for start in range(max(len(folders) - _MAX_PARTS, 0), len(folders) + 1):
                images = index.get((*folders[start:], last))
                if images:
                    return len(folders) - start, images
        return 0, []

    @cached_property
    def _by_name(self) -> Mapping[_Parts, list[Path]]:
        return self._by_end(lambda image: image.name)

    @cached_property
    def _by_stem(self) -> Mapping[_Parts, list[Path]]:
        return self._by_end(lambda image: image.stem)

    def _by_end(self, name_of: Callable[[Path], str]) -> Mapping[_Parts, list[Path]]:
        index: defaultdict[_Parts, list[Path]] = defaultdict(list)
        folders = {
            folder: _parts(lexically_absolute(folder).as_posix())[self._below(folder) :][-_MAX_PARTS:]
            for folder in self.keys
        }
        for image in self.images:
            parts, name = folders[image.parent], name_of(image).casefold()
            for start in range(len(parts) + 1):
                index[(*parts[start:], name)].append(image)
        return index


def _by_lists(
    lists: Sequence[_Entry], source: Path, found: _Folders, file: str
) -> tuple[dict[Path, str], list[Problem]]:
    splits: dict[Path, tuple[int, set[str]]] = {}
    problems: list[Problem] = []
    for entry in lists:
        path = _list_below(source, entry.path)
        if path is None:
            problems.append(_unused(file, entry, f"no such list below {relative_to_here(source)}"))
            continue
        matches = [found.find(line) for line in list_lines(path)]
        several = sum(len(images) > 1 for _, images in matches)
        if several:
            problems.append(_unused(file, entry, f"{several} of its {len(matches)} lines fit more than one image each"))
        elif not any(images for _, images in matches):
            problems.append(_unused(file, entry, f"none of the images in its {len(matches)} lines was found"))
        for length, images in matches:
            if len(images) == 1:
                _add(splits, images[0], length, entry.split)
    return {path: most_protected(named) for path, (_, named) in splits.items()}, problems


def _add(splits: dict[Path, tuple[int, set[str]]], image: Path, length: int, split: str) -> None:
    """Add a line's split to its image's: the lines that name most of an image's folders count."""
    known, named = splits.get(image, (-1, set()))
    if length > known:
        splits[image] = length, {split}
    elif length == known:
        named.add(split)


def _list_below(source: Path, text: str) -> Path | None:
    """The list that the author's path `text` means: the longest end of it that is a file below `source`."""
    names = [part for part in posixpath.normpath(text).split("/") if part not in ("", ".", "..")]
    root = Path(os.path.realpath(source))
    for start in range(max(len(names) - _MAX_PARTS, 0), len(names)):
        path = os.path.join(source, *names[start:])  # noqa: PTH118 - Path.is_file raises for a name that is too long
        if os.path.isfile(path) and Path(os.path.realpath(path)).is_relative_to(root):  # noqa: PTH113
            return Path(path)
    return None


def _by_folders(
    entries: Sequence[_Entry], source: Path, found: _Folders, file: str
) -> tuple[dict[Path, str], list[Problem]]:
    known = {key for keys in found.keys.values() for key in keys}
    splits_of: defaultdict[_Parts, set[str]] = defaultdict(set)
    for entry in entries:
        splits_of[_parts(entry.path)].add(entry.split)
    # One folder for train and for another split is no split.
    shared = {parts for parts, splits in splits_of.items() if "train" in splits and len(splits) > 1}
    entries = [entry for entry in entries if _parts(entry.path) not in shared]
    foreign = _foreign_parts([_parts(entry.path) for entry in entries], known)
    split_at: defaultdict[_Parts, set[str]] = defaultdict(set)
    problems: list[Problem] = []
    for entry in entries:
        key = next((key for key in _meanings(entry, source, foreign) if key in known), None)
        if key is None:
            problems.append(_unused(file, entry, "no image was found in a folder of that name"))
        else:
            split_at[key].add(entry.split)
    split_of = {
        folder: most_protected(next((split_at[key] for key in keys if key in split_at), set()))
        for folder, keys in found.keys.items()
    }
    return {image: split_of[image.parent] for image in found.images if split_of[image.parent]}, problems


def _foreign_parts(paths: Sequence[_Parts], known: Collection[_Parts]) -> int:
    """How many first parts of all `paths` lead to the author's folder: as few of those that they share as will do."""
    shared = 0
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    for count in range(min([shared, *(len(path) - 1 for path in paths)]) + 1):
        if any(path[count:] in known for path in paths):
            return count
    return 0


def _meanings(entry: _Entry, source: Path, foreign: int) -> Iterator[_Parts]:
    """The keys of the folders that an entry can mean, the likeliest first."""
    own = lexically_absolute(source)
    for text in (entry.path, entry.text.replace("\\", "/")):
        yield "/", *_parts(lexically_absolute(own / text).as_posix())
    yield "/", *_parts(own.as_posix()), *_parts(entry.path)
    yield _parts(entry.path)[foreign:]
