"""The entries of COCO JSON: their types as this project writes them, and checks of what strangers wrote.

The checks raise TypeError, ValueError or KeyError with a message that names the entry; `read_coco` adds the file.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from tasks.dataset.boxes import Corners

# An entry that strangers wrote: any keys, any values.
Entry = Mapping[str, object]
Id = int | str


class CocoCategory(TypedDict):
    """One class; ids count from 1."""

    id: int
    name: str


class CocoImage(TypedDict):
    """One image. The keys from `source` on are this project's: see `AnnotatedImage`."""

    id: int
    file_name: str
    width: int
    height: int
    source: str
    sha256: str
    perceptual_hash: str
    given_split: str


class CocoAnnotation(TypedDict):
    """One object; `bbox` is `[x, y, width, height]` in pixels, `iscrowd` and `difficult` are 0 or 1."""

    id: int
    image_id: int
    category_id: int
    bbox: list[float]
    area: float
    iscrowd: int
    difficult: int


class CocoContent(TypedDict):
    """What COCO's own tools read."""

    images: list[CocoImage]
    annotations: list[CocoAnnotation]
    categories: list[CocoCategory]


class CocoResult(TypedDict):
    """One detection; `bbox` is `[x, y, width, height]` in pixels, `score` lies in 0..1."""

    image_id: int
    category_id: int
    bbox: list[float]
    score: float


class ProblemEntry(TypedDict):
    """One `Problem`, without the image and the box where it has none: most problems of large data sets have neither."""

    kind: str
    file: str
    detail: str
    action: str
    image: NotRequired[str]
    box: NotRequired[Corners]


def checked_object(content: object) -> Entry:
    """The content of a file, which must be a JSON object."""
    if not isinstance(content, dict):
        raise TypeError(f"it is {kind_of(content)}, not an object")
    return content


def checked_entries(content: Entry, key: str) -> list[Entry]:
    """The list of objects that `content` has under `key`."""
    entries = content[key]
    if not isinstance(entries, list):
        raise TypeError(f"{key} is {kind_of(entries)}, not a list")
    for place, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise TypeError(f"entry {place} of {key} is {kind_of(entry)}, not an object")
    return entries


def kind_of(value: object) -> str:
    """What JSON calls a value."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def entries_by_id(entries: Sequence[Entry], key: str) -> dict[Id, Entry]:
    """The entries of the list `key`, whose ids must differ and be of one type."""
    by_id: dict[Id, Entry] = {}
    for place, entry in enumerate(entries, start=1):
        number = checked_id(entry, "id", f"entry {place} of {key}")
        if number in by_id:
            raise ValueError(f"two of {key} have the id {number}")
        by_id[number] = entry
    if len({type(number) for number in by_id}) > 1:
        raise ValueError(f"some ids of {key} are numbers, others text: use one of the two")
    return by_id


def checked_id(entry: Entry, key: str, where: str) -> Id:
    """The id that `entry`, which messages call `where`, has under `key`."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(
            f"{where} has no {key} that is a whole number" if value is None else f"{where}: {key} is {value}"
        )
    return value


def checked_text(entry: Entry, key: str, where: str) -> str:
    """The text that `entry`, which messages call `where`, has under `key`."""
    value = entry.get(key)
    if not isinstance(value, str):
        raise TypeError(f"{where} has no {key} that is text")
    return value
