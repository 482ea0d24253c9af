"""The entries of COCO JSON: their types as this project writes them, and checks of what strangers wrote.

The checks raise TypeError, ValueError or KeyError with a message that names the entry; `read_coco` adds the file.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from tasks.dataset.boxes import Corners
from tasks.dataset.dataset import AnnotatedImage

# An entry that strangers wrote: any keys, any values.
Entry = Mapping[str, object]
Id = int | str
# Ids have fewer digits; Python refuses to make numbers of thousands.
_MAX_DIGITS = 19


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
    slices: NotRequired[dict[str, str]]


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


def image_entry(image_id: int, image: AnnotatedImage) -> CocoImage:
    """The entry of one image; without `slices` where nothing is known of it."""
    entry: CocoImage = {
        "id": image_id,
        "file_name": image.file_name,
        "width": image.width,
        "height": image.height,
        "source": image.source,
        "sha256": image.sha256,
        "perceptual_hash": image.perceptual_hash,
        "given_split": image.given_split,
    }
    if image.slices:
        entry["slices"] = dict(image.slices)
    return entry


def slices_in(entry: Entry) -> dict[str, str]:
    """What the entry of an image has under `slices`; values that are no text, and what other tools call so, are not."""
    slices = entry.get("slices")
    return {name: text for name, text in slices.items() if isinstance(text, str)} if isinstance(slices, dict) else {}


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
    """The entries of the list `key`, whose ids must differ; where some are numbers, others may be numbers as text."""
    ids = [checked_id(entry, "id", f"entry {place} of {key}") for place, entry in enumerate(entries, start=1)]
    if len({type(number) for number in ids}) > 1:
        ids = [_other_type(number) if isinstance(number, str) else number for number in ids]
        if not all(isinstance(number, int) for number in ids):
            raise ValueError(f"some ids of {key} are numbers, others text: use one of the two")
    by_id: dict[Id, Entry] = {}
    for number, entry in zip(ids, entries, strict=True):
        if number in by_id:
            raise ValueError(f"two of {key} have the id {number}")
        by_id[number] = entry
    return by_id


def referenced_id(annotation: Entry, key: str, ids: Mapping[Id, object], where: str) -> Id:
    """The one of `ids` to which an annotation, which messages call `where`, refers under `key`: 12 and "12" are one."""
    number = checked_id(annotation, key, where)
    known = next((each for each in (number, _other_type(number)) if each in ids), None)
    if known is None:
        raise ValueError(f"{where} refers to no {key.removesuffix('_id')}: {number}")
    return known


def _other_type(number: Id) -> Id:
    """A number as text, or a number that is text as a number; other text as it is."""
    if isinstance(number, int):
        return str(number)
    return int(number) if number.isascii() and number.isdecimal() and len(number) < _MAX_DIGITS else number


def checked_id(entry: Entry, key: str, where: str) -> Id:
    """The id that `entry`, which messages call `where`, has under `key`."""
    value = entry.get(key)
    # As pandas writes a column in which a value is missing.
    if isinstance(value, float) and value.is_integer():
        return int(value)
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
