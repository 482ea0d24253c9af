"""data.yaml and classes.txt: the names of YOLO's class numbers, and what else data.yaml says.

Both come from strangers: YAML makes nothing but text, lists and mappings, and no path in it is opened here.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from tasks.dataset.splits import SPLITS, split_named
from tasks.errors import FormatError
from tasks.formats.yolo_rows import KeyPoints
from tasks.ground.files import read_small
from tasks.ground.text import shortened
from tasks.ground.walk import files_below

MAX_NAMES_BYTES = 250_000
_MAX_NAMES_DEPTH = 20
_MAX_KEY_POINTS = 1000
_YAML_FILES = ("data.yaml", "data.yml")
# obj.names is Darknet's, and what CVAT writes.
_NAMES_FILES = (*_YAML_FILES, "classes.txt", "labels/classes.txt", "obj.names")
_LISTS_OF_NAMES = ("classes.txt", "obj.names")
_T = TypeVar("_T")


class Described(NamedTuple):
    """What data.yaml says beside the classes.

    Attributes:
        file: the file; None where there is none.
        key_points: its `kpt_shape`; None where it has none.
        root: its `path`, to which `splits` are relative; empty where it has none.
        splits: split -> the folders and lists that it names for the split, as written.
    """

    file: Path | None = None
    key_points: KeyPoints | None = None
    root: str = ""
    splits: Mapping[str, tuple[str, ...]] = {}


def read_names(folder: Path) -> dict[int, str]:
    """Class number, from 0 -> name, as data.yaml (`names`, a list or a mapping) or classes.txt (one a line) gives them.

    Raises:
        FormatError: there is no such file, it is not in its format, or two of them disagree.
    """
    names_of = {path: _read_names_file(path) for path in names_files(folder)}
    if not names_of:
        raise FormatError(f"{folder}: no {' or '.join(_NAMES_FILES)}: one must name the classes")
    (first, names), *others = names_of.items()
    for path, other in others:
        if other != names:
            raise FormatError(f"{first} and {path} name different classes: correct or delete one of them")
    return names


def read_described(folder: Path) -> Described:
    """What data.yaml says of key points and splits; nothing where there is no such file.

    Raises:
        FormatError: it is not in its format.
    """
    path = next((folder / name for name in _YAML_FILES if (folder / name).is_file()), None)
    if path is None:
        return Described()
    content = _read_yaml(path)
    splits: dict[str, tuple[str, ...]] = {}
    for key, value in content.items():
        split = split_named(str(key))
        if split in SPLITS:
            texts = [text.strip() for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
            splits[split] = (*splits.get(split, ()), *(text for text in texts if text))
    root = content.get("path")
    return Described(path, _key_points(path, content), root.strip() if isinstance(root, str) else "", splits)


def names_files(folder: Path) -> list[Path]:
    """The files in `folder` that name classes; where there is none, lists of classes deeper in it, as beside labels."""
    files = [folder / name for name in _NAMES_FILES if (folder / name).is_file()]
    return files or [path for path in files_below(folder) if path.name in _LISTS_OF_NAMES and path.is_file()]


def _read_names_file(path: Path) -> dict[int, str]:
    if path.name in _LISTS_OF_NAMES:
        text = label_text(path, MAX_NAMES_BYTES)
        if not text.strip():
            raise FormatError(f"{path}: is empty; expected one class a line")
        return dict(enumerate(line.strip() for line in text.rstrip().split("\n")))
    content = _read_yaml(path)
    names = content.get("names")
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not names:
        raise FormatError(f"{path}: no list or mapping `names`, which gives the names of the class numbers")
    repeated = _first_repeated(class_number(number) for number in names)
    if repeated is not None:
        raise FormatError(f"{path}: names: the number {repeated} is repeated; a class has one name")
    numbered = {class_number(number): name for number, name in names.items()}
    if None in numbered or not all(isinstance(name, str) for name in numbered.values()):
        raise FormatError(f"{path}: names: expected a list of names, or numbers from 0, each with a name")
    return {number: str(name).strip() for number, name in numbered.items() if number is not None}


def _read_yaml(path: Path) -> dict[str, Any]:
    text = label_text(path, MAX_NAMES_BYTES)
    try:
        _refuse_aliases_and_depth(path, text)
        _refuse_repeated_keys(path, text)
        # BaseLoader makes nothing but text, lists and mappings: safer than safe_load, and a class called `no` stays so.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError) as error:
        raise FormatError(f"{path}: not YAML: {str(error)[:300]}") from error
    return content if isinstance(content, dict) else {}


def _key_points(path: Path, content: Mapping[str, Any]) -> KeyPoints | None:
    shape = content.get("kpt_shape")
    if shape is None:
        return None
    numbers = [class_number(text) for text in shape] if isinstance(shape, list) else []
    match numbers:
        case [int(points), (2 | 3) as each] if points <= _MAX_KEY_POINTS:
            return KeyPoints(points, each)
    raise FormatError(
        f"{path}: kpt_shape: expected [N, 2] or [N, 3], N key points (at most {_MAX_KEY_POINTS}) of 2 or 3 numbers each"
    )


def class_number(text: object) -> int | None:
    """The number in `text`; some tools write it as a float: `3.0`. None where it holds no whole number from 0."""
    number = text if isinstance(text, str) else ""
    return int(number.split(".", maxsplit=1)[0]) if re.fullmatch(r"[0-9]{1,9}(\.0*)?", number, re.ASCII) else None


def _refuse_aliases_and_depth(path: Path, text: str) -> None:
    """Raise for YAML that a small file could use to grow large or deep; no list of classes needs it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > _MAX_NAMES_DEPTH:
            raise FormatError(f"{path}: has aliases (*name) or is nested too deeply; no list of classes needs that")


def _refuse_repeated_keys(path: Path, text: str) -> None:
    """Raise where YAML would silently take the last: `{0: cat, 0: dog}` names one class."""
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else []:
        if key.value == "names" and isinstance(value, yaml.MappingNode):
            repeated = _first_repeated(str(number.value) for number, _ in value.value)
            if repeated is not None:
                raise FormatError(f"{path}: names: {shortened(repeated)} is repeated; a class has one name")


def _first_repeated(values: Iterable[_T]) -> _T | None:
    seen: set[_T] = set()
    return next((value for value in values if value in seen or seen.add(value)), None)  # type: ignore[func-returns-value]


def label_text(path: Path, max_bytes: int) -> str:
    """The text of a label file, data.yaml or classes.txt, with newlines at the ends of its lines.

    Raises:
        FormatError: it is larger than `max_bytes`, not UTF-8, or cannot be read.
    """
    try:
        # Every kind of line end becomes a newline, as it does when Python reads text by itself.
        text = read_small(path, max_bytes, "such a file").decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start})") from error
