"""CSV annotations: one object a row, boxes as absolute pixel corners.

The header says which column is which, in any order and under the names that labelling tools commonly give them
(`csv_columns`). A row with nothing but an image, or whose class and box say that there is no object, is an image
without objects.
"""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.dataset.splits import most_protected, names_no_split, split_named
from tasks.errors import FormatError
from tasks.formats.csv_columns import (
    CORNERS,
    box_columns,
    column_positions,
    headerless_layout,
    says_no_object,
    slice_positions,
)
from tasks.ground.files import replacing
from tasks.ground.numbers import finite_number, side_px
from tasks.ground.spreadsheet import cell_to_text, text_to_cell
from tasks.ground.text import composed, quoted, shortened

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 1_000_000_000
# Each column costs memory of its own, and pandas minutes where there are a million.
_MAX_COLUMNS = 1000
_PIECE_BYTES = 2**20
# The line is read to look at its delimiter alone.
_LONGEST_LINE = 2**20
_WRITTEN = ("filename", "width", "height", "class", *CORNERS)


@dataclass
class _Rows:
    """The rows read so far for one image."""

    line: int
    width: int
    height: int
    boxes: list[list[float]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    splits: set[str] = field(default_factory=set)
    slices: dict[str, str] = field(default_factory=dict)


def read_csv(
    path: Path, columns: Mapping[str, str], slices: Sequence[str] = ()
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images in a CSV file in the order they first appear, and a problem for each object without a readable box.

    `columns` gives our name -> their header, for headers that are not recognised; `slices` names further columns, whose
    values are of the whole image. `file_name` is as in the file:
    the images have yet to be found. A box that could not be read is NaN. `source` is `path:line` of the first row.

    Raises:
        FormatError: not a CSV file, a column is missing, a split is unknown, coordinates are fractions of the image's
            size, or the rows of an image have different values in a column of `slices`.
    """
    table, first_line, header, names = _read_table(path, columns, bool(slices))
    slice_of = slice_positions(path, header, slices)
    names = _without_foreign_split(table, names, columns)
    images: dict[str, _Rows] = {}
    written: dict[str, str] = {}
    problems: list[Problem] = []
    for offset, row in enumerate(table.itertuples(index=False, name=None)):
        line = first_line + offset
        cells = {name: cell_to_text(str(row[i]).strip()) for name, i in names.items()}
        if not any(str(cell).strip() for cell in row):
            continue
        if not cells["filename"]:
            content = {name: shortened(text) for name, text in cells.items()}
            detail = f"row {content}: no filename"
            problems.append(Problem("unreadable_object", f"{path.as_posix()}:{line}", detail, "dropped_box"))
            continue
        size = (side_px(cells.get("width", "")), side_px(cells.get("height", "")))
        rows = images.setdefault(written.setdefault(composed(cells["filename"]), cells["filename"]), _Rows(line, *size))
        rows.splits.add(_checked_split(path, line, cells.get("split", "")))
        for name, i in slice_of.items():
            _add_slice(rows, name, cell_to_text(str(row[i]).strip()), f"{path}: line {line}")
        _add_object(rows, cells, f"{path.as_posix()}:{line}", problems)
    _refuse_fractions(path, images)
    return [_image(path, name, rows) for name, rows in images.items()], problems


def write_csv(dataset: Dataset, path: Path) -> None:
    """Write one row an object, and one with empty cells for an image without objects; file names are `root`'s.

    A column `split` is written where an image has a `given_split`. `read_csv` gives the images back, but for
    `difficult`, `iscrowd`, `source` and `sha256`.
    """
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        has_splits = any(image.given_split for image in dataset.images)
        rows.writerow([*_WRITTEN, *["split"] * has_splits])
        for image in dataset.images:
            about, split = [text_to_cell(image.file_name), image.width, image.height], [image.given_split] * has_splits
            if not image.classes:
                rows.writerow([*about, "", "", "", "", "", *split])
            for name, box in zip(image.classes, image.boxes.tolist(), strict=True):
                rows.writerow(
                    [*about, text_to_cell(name), *(int(side) if side.is_integer() else side for side in box), *split]
                )


def _add_slice(rows: _Rows, column: str, value: str, where: str) -> None:
    """Add what a row says of its image; a row may say nothing."""
    if value and rows.slices.setdefault(column, value) != value:
        raise FormatError(
            f"{where}: the column {quoted(column)} holds {quoted(value)}, and {quoted(rows.slices[column])} in line "
            f"{rows.line} or another row of the image; ingest.columns.slice names columns of whole images"
        )


def _add_object(rows: _Rows, cells: dict[str, str], where: str, problems: list[Problem]) -> None:
    texts = [cells[name] for name in box_columns(cells)]
    if says_no_object(texts, cells["class"]):
        return
    numbers = [value for text in texts if (value := finite_number(text)) is not None]
    readable = len(numbers) == len(texts)
    if readable and "w" in cells:
        numbers = [numbers[0], numbers[1], numbers[0] + numbers[2], numbers[1] + numbers[3]]
    rows.boxes.append(numbers if readable else [math.nan] * 4)
    rows.classes.append(cells["class"])
    if readable:
        return
    corners = ", ".join(f"{name} {quoted(text)}" for name, text in zip(box_columns(cells), texts, strict=True))
    name, file = quoted(cells["class"]), shortened(cells["filename"])
    detail = f"object of class {name} in {file}: {corners}: not four numbers"
    problems.append(Problem("unreadable_object", where, detail, "dropped_box"))


def _read_table(
    path: Path, columns: Mapping[str, str], has_header: bool
) -> tuple["pd.DataFrame", int, list[str], dict[str, int]]:
    """The rows as text, the number of their first line, the first row, and our name -> its column's position.

    `has_header`: as a file has whose columns are named.
    """
    import pandas as pd  # noqa: PLC0415 - half a second, and only CSV files need it

    size = path.stat().st_size
    if size > MAX_BYTES:
        raise FormatError(f"{path}: {size} bytes; at most {MAX_BYTES} are read: split the file")
    try:
        _refuse_nul(path)
        with path.open(encoding="utf-8-sig") as file:
            line = file.readline(_LONGEST_LINE)
            # Excel's own line, `sep=;`, says how the others are read.
            stated = re.fullmatch(r"\"?sep=([,;\t])\"?", line.strip("\r\n "), re.IGNORECASE)
            delimiter = stated[1] if stated else max(",;\t", key=line.count)
            skipped = 1 if stated else 0
        _refuse_many_columns(path, delimiter, skipped)
        table = pd.read_csv(
            path,
            header=None,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            sep=delimiter,
            skiprows=skipped,
            encoding="utf-8-sig",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, UnicodeDecodeError, OSError) as error:
        raise FormatError(
            f"{path}: not a CSV file ({str(error).strip()}); expected a header and one object a row"
        ) from error
    # A row shorter than the first is filled up with NaN even where NaN is not looked for.
    table = table.fillna("")
    first = [str(cell).strip() for cell in table.iloc[0]]
    layout = headerless_layout(first) if not columns and not has_header else None
    if layout is not None:
        return table, 1 + skipped, first, layout
    return table.iloc[1:], 2 + skipped, first, column_positions(path, first, columns)


def _refuse_nul(path: Path) -> None:
    """Raise where pandas would silently end a cell: at a NUL byte."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            if b"\0" in piece:
                raise FormatError(f"{path}: holds NUL bytes: not a CSV file, or one in UTF-16; save it as UTF-8")


def _refuse_many_columns(path: Path, delimiter: str, skipped: int) -> None:
    """Raise where the first row, which says how many columns pandas makes, has more than any annotations."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
        count = len(next(islice(rows, skipped, None), []))
    if count > _MAX_COLUMNS:
        raise FormatError(f"{path}: {count} columns; at most {_MAX_COLUMNS} are read: delete those that are not needed")


def _without_foreign_split(table: "pd.DataFrame", names: dict[str, int], columns: Mapping[str, str]) -> dict[str, int]:
    """`names` without the split column, where that seems to mean something else, such as sets of photos."""
    if "split" not in names or "split" in columns:
        return names
    cells = [cell for cell in table.iloc[:, names["split"]].astype(str).str.strip() if not names_no_split(cell)]
    if 2 * sum(bool(split_named(cell)) for cell in cells) > len(cells):
        return names
    return {name: i for name, i in names.items() if name != "split"}


def _checked_split(path: Path, line: int, cell: str) -> str:
    split = split_named(cell)
    if not split and not names_no_split(cell):
        raise FormatError(
            f"{path}: line {line}: the split column holds {cell!r}; expected train, val, test, or an empty cell. "
            "If the column means something else, rename it"
        )
    return split


def _refuse_fractions(path: Path, images: Mapping[str, _Rows]) -> None:
    values = [value for rows in images.values() for box in rows.boxes for value in box if math.isfinite(value)]
    if values and max(values) <= 1.0 and min(values) >= 0.0:
        raise FormatError(
            f"{path}: all coordinates lie in 0..1: multiply them by the images' sizes; pixels are expected"
        )


def _image(path: Path, name: str, rows: _Rows) -> AnnotatedImage:
    n = len(rows.classes)
    return AnnotatedImage(
        file_name=name,
        width=rows.width,
        height=rows.height,
        boxes=as_boxes(rows.boxes),
        classes=tuple(rows.classes),
        difficult=flags(n),
        iscrowd=flags(n),
        source=f"{path.as_posix()}:{rows.line}",
        given_split=most_protected(rows.splits),
        slices=rows.slices,
    )
