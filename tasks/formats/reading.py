"""One way to read every annotation format: which one it is, its reader, and the particulars of its records."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasks.dataset.boxes import from_fractions
from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.errors import DataError
from tasks.formats.coco import read_coco_annotations
from tasks.formats.csv import read_csv
from tasks.formats.foreign import foreign_kind
from tasks.formats.label_studio import read_label_studio
from tasks.formats.pascal_voc import read_voc_folder, voc_files
from tasks.formats.several_files import coco_files, csv_files, read_several
from tasks.formats.voc_image import find_voc_image
from tasks.formats.yolo import is_yolo_folder, read_yolo
from tasks.ground.walk import files_below
from tasks.images.image_file import stored_size
from tasks.images.image_finder import FoundImage, ImageFinder

_EXPECTED = (
    "expected a folder with Pascal VOC .xml files, a folder with YOLO labels and data.yaml or classes.txt, "
    "a .csv file, a .json file (COCO or Label Studio), or a folder with .csv or COCO files"
)
_FORMATS_OF_SUFFIX = {".csv": ("csv",), ".json": ("coco", "label_studio")}
_FILE_FORMATS = ("csv", "coco", "label_studio")
_FOLDER_CHECKS: dict[str, Callable[[Path], bool]] = {
    "voc": lambda folder: bool(voc_files(folder)),
    "yolo": is_yolo_folder,
}
# Looked for where a folder has none of the others: tables beside XML files are mostly copies of them.
_SEVERAL_FILES: dict[str, Callable[[Path], list[Path]]] = {"coco": coco_files, "csv": csv_files}


@dataclass(frozen=True)
class Reading:
    """The annotations of a source, before their images are found.

    Attributes:
        format: `voc`, `csv`, `coco`, `yolo` or `label_studio`.
        images: as written; a box that could not be read is NaN, and among the problems. `in_pixels` makes boxes of
            them that were written as fractions.
        problems: what could not be read.
        classes: in the order that the format declares, empty where it declares none.
    """

    format: str
    images: list[AnnotatedImage]
    problems: list[Problem]
    classes: tuple[str, ...] = ()

    def find(self, finder: ImageFinder, record: AnnotatedImage, file: Path | None) -> FoundImage:
        """The image of a record, which `file`, or else the record's own file, names."""
        annotation = file or Path(record.source)
        find = find_voc_image if self.format == "voc" else ImageFinder.find
        return find(finder, annotation, record.file_name)

    def in_pixels(self, record: AnnotatedImage, path: Path) -> AnnotatedImage:
        """`record` with boxes in pixels, now that its image is known to be `path`.

        Where YOLO or Label Studio do not say how large the image is, their boxes are fractions of it.

        Raises:
            FormatError: the image's size is needed and cannot be read.
        """
        if self.format not in ("yolo", "label_studio") or record.width:
            return record
        width, height = stored_size(path)
        # Fractions are rounded when they are written; pixels with decimals come back as they were.
        boxes = np.round(from_fractions(record.boxes, height=height, width=width), 6)
        return replace(record, width=width, height=height, boxes=boxes)


def read_annotations(source: Path, wanted: str, columns: Mapping[str, str], slices: Sequence[str] = ()) -> Reading:
    """The annotations in `source`, in the format `wanted` (`auto`: by its content).

    `columns` and `slices` are those of `read_csv`.

    Raises:
        DataError: `source` is not what any format, or the wanted one, expects.
    """
    kind = format_of(source, wanted)
    if kind in _SEVERAL_FILES:
        read = read_coco_annotations if kind == "coco" else lambda path: (*read_csv(path, columns, slices), ())
        return Reading(kind, *read_several(_SEVERAL_FILES[kind](source) if source.is_dir() else [source], read))
    return _READERS[kind](source)


def format_of(source: Path, wanted: str) -> str:
    """The format of `source` by its content, which must agree with `wanted`.

    Raises:
        DataError: no format, or more than one, or not the wanted one.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; set ingest.source: {_EXPECTED}")
    if not source.is_dir() and not source.is_file():
        raise DataError(f"{source}: a pipe, a socket or a device; set ingest.source: {_EXPECTED}")
    foreign = _foreign_kind(source) if wanted == "auto" else ""
    kinds = _formats_of_folder(source, wanted) if source.is_dir() else _formats_of_file(source, wanted)
    fitting = [kind for kind in kinds if wanted in ("auto", kind)]
    if len(fitting) > 1:
        raise DataError(f"{source}: could be {' or '.join(fitting)}; set ingest.format to one of them")
    if foreign and (not fitting or source.is_file()):
        raise DataError(foreign)
    if not fitting:
        setting = "" if wanted == "auto" else f" (ingest.format is {wanted})"
        raise DataError(f"{source}: {_describe_source(source)}{setting}; set ingest.source: {_EXPECTED}")
    return fitting[0]


def _formats_of_folder(source: Path, wanted: str) -> list[str]:
    kinds = [kind for kind, fits in _FOLDER_CHECKS.items() if fits(source)]
    if wanted in kinds or (kinds and wanted == "auto"):
        return kinds
    return [*kinds, *(kind for kind, find in _SEVERAL_FILES.items() if find(source))]


def _foreign_kind(source: Path) -> str:
    """What the source, or the first such file in it, is in a format that is not read; empty where it is none."""
    files = [source] if source.is_file() else files_below(source)
    named = ((path, foreign_kind(path)) for path in files)
    return next((f"{path}: {kind}" for path, kind in named if kind), "")


def _formats_of_file(source: Path, wanted: str) -> list[str]:
    """By its suffix; an unknown suffix may be whatever is wanted. JSON by its first character, if nothing is wanted."""
    kinds = _FORMATS_OF_SUFFIX.get(source.suffix.lower(), _FILE_FORMATS if wanted != "auto" else ())
    if wanted != "auto" or len(kinds) < 2:
        return list(kinds)
    with source.open("rb") as file:
        start = file.read(1000).removeprefix(b"\xef\xbb\xbf").lstrip()
    return ["label_studio" if start.startswith(b"[") else "coco"]


def _describe_source(source: Path) -> str:
    if source.is_file():
        return f"a {source.suffix or 'nameless kind of'} file"
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in files_below(source) if path.is_file())
    if not suffixes:
        return "a folder with hidden files only, which are never read" if any(source.iterdir()) else "an empty folder"
    return "a folder with " + ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common(5))


_READERS: dict[str, Callable[[Path], Reading]] = {
    "voc": lambda source: Reading("voc", *read_voc_folder(source)),
    "yolo": lambda source: Reading("yolo", *read_yolo(source)),
    "label_studio": lambda source: Reading("label_studio", *read_label_studio(source)),
}
