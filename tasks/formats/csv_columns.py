"""Which column of a CSV file is which: by its header, or, without one, by what tools are known to write."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from tasks.errors import FormatError
from tasks.ground.numbers import finite_number
from tasks.ground.text import folded, quoted, shortened
from tasks.images.image_file import FORMAT_OF_SUFFIX

CORNERS = ("xmin", "ymin", "xmax", "ymax")
_REQUIRED = ("filename", "class", *CORNERS)
# In order of preference: a file may have both image_id and filename.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "filename": ("filename", "file_name", "file", "image_name", "image", "img_name", "img", "image_path", "img_path",
                 "filepath", "file_path", "path", "image_id", "imageid"),
    "class": ("class", "class_name", "classname", "label", "label_name", "labelname", "category", "category_name",
              "cell_type", "name"),
    "xmin": ("xmin", "x_min", "x1", "left", "bbox_xmin", "bbox_x1"),
    "ymin": ("ymin", "y_min", "y1", "top", "bbox_ymin", "bbox_y1"),
    "xmax": ("xmax", "x_max", "x2", "right", "bbox_xmax", "bbox_x2"),
    "ymax": ("ymax", "y_max", "y2", "bottom", "bbox_ymax", "bbox_y2"),
    "width": ("width", "image_width", "img_width"),
    "height": ("height", "image_height", "img_height"),
    "split": ("split", "subset", "set", "part", "partition", "usage", "ml_use"),
}  # fmt: skip
# Without a header: keras-retinanet's columns, and those of make-sense, whose boxes are x, y, width, height.
_RETINANET = ("filename", *CORNERS, "class")
_MAKE_SENSE = ("class", "xmin", "ymin", "w", "h", "filename", "width", "height")
# What stands in the box and the class of a row that means an image without objects.
_NO_NUMBER = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "-1", "-1.0"})
_NO_CLASS = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "-1", "background", "no finding", "no findings",
                       "no object", "no objects", "nothing", "negative", "empty"})  # fmt: skip
_AUTOML_SETS = frozenset({"TRAIN", "TRAINING", "VALIDATE", "VALIDATION", "TEST", "UNASSIGNED"})
# Columns that hold a whole box.
_ONE_CELL = frozenset(
    {"bbox", "box", "bndbox", "bounding_box", "boundingbox", "boxes", "coordinates", "coords", "rect"}
)
_KNOWN = frozenset(synonym for synonyms in _SYNONYMS.values() for synonym in synonyms)
_ADVICE = (
    "add a first line that names the columns in their order, such as filename,xmin,ymin,xmax,ymax,class (corners in "
    "pixels; columns that are not used may have any name)"
)


def headerless_layout(first_row: Sequence[str]) -> dict[str, int] | None:
    """Our name -> the column's position, where the first row is one of a file without a header that is known.

    Known are keras-retinanet's `path,x1,y1,x2,y2,class`, with empty cells for an image without objects, and
    make-sense's `class,x,y,width,height,image,image width,image height`.
    """
    cells = list(first_row)
    if len(cells) == len(_RETINANET) and cells[0] and (_numbers(cells[1:5]) or not any(cells[1:])):
        return {name: i for i, name in enumerate(_RETINANET)}
    if len(cells) == len(_MAKE_SENSE) and _numbers([*cells[1:5], *cells[6:]]) and _is_image(cells[5]):
        return {name: i for i, name in enumerate(_MAKE_SENSE)}
    return None


def box_columns(columns: Mapping[str, object]) -> tuple[str, ...]:
    """The four columns that hold the box: corners, or the top left corner and the size."""
    return ("xmin", "ymin", "w", "h") if "w" in columns else CORNERS


def says_no_object(box: Sequence[str], name: str) -> bool:
    """Whether a row means an image without objects: no box, and no class or one like "No finding"."""
    without_box = all(folded(text) in _NO_NUMBER for text in box)
    zeros = all(finite_number(text) == 0 for text in box)
    return (without_box or zeros) and folded(name) in _NO_CLASS


def column_positions(path: Path, header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Our name -> the position of its column, by the header and by `columns`, our name -> their header.

    Raises:
        FormatError: a column is missing, or two have one name; the message names what the file seems to be.
    """
    plain = [name.lower().replace(" ", "_").replace("-", "_") for name in header]
    position_of = {name: i for i, name in enumerate(plain)}
    positions: dict[str, int] = {}
    for name, synonyms in _SYNONYMS.items():
        if name in columns:
            if columns[name] in header:
                positions[name] = list(header).index(columns[name])
            continue
        preferred = next((synonym for synonym in synonyms if synonym in position_of), None)
        if preferred is not None:
            positions[name] = position_of[preferred]
            if plain.count(preferred) > 1:
                raise FormatError(
                    f"{path}: {plain.count(preferred)} columns are called {preferred}: rename all but one"
                )
    missing = [name for name in (*_REQUIRED, *columns) if name not in positions]
    if missing:
        raise FormatError(f"{path}: {_missing(missing[0], header, plain, columns)}")
    return positions


def divided_columns(columns: Mapping[str, str | list[str]]) -> tuple[dict[str, str], list[str]]:
    """Of `ingest.columns`: our name -> their header of what objects have, and the columns of slices."""
    named = columns.get("slice", [])
    of_objects = {name: column for name, column in columns.items() if name != "slice" and isinstance(column, str)}
    return of_objects, [named] if isinstance(named, str) else named


def slice_positions(path: Path, header: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
    """The positions of the columns that `ingest.columns.slice` names.

    Raises:
        FormatError: one is missing.
    """
    missing = [name for name in columns if name not in header]
    if missing:
        raise FormatError(
            f"{path}: no column {quoted(missing[0])}, which ingest.columns.slice names; found the columns "
            f"{shortened(', '.join(header), 300)}"
        )
    return {name: list(header).index(name) for name in columns}


def _missing(name: str, header: Sequence[str], plain: Sequence[str], columns: Mapping[str, str]) -> str:
    """The message where there is no column for `name`."""
    if "region_shape_attributes" in plain:
        return (
            "VIA's CSV export: export the project as COCO from VIA's menu (Annotation, Export Annotations (COCO "
            "format)), and set ingest.source to that file"
        )
    if not columns and header[0].upper() in _AUTOML_SETS:
        return (
            f"AutoML's CSV has no header, and its corners are fractions of the image: {_ADVICE}, and multiply the "
            "corners by the images' sizes; a column called split may hold TRAIN, VALIDATE and TEST"
        )
    if not columns and not set(plain) & _KNOWN and any(map(_is_value, header)):
        return f"it has no header, its first row holds {shortened(', '.join(header), 200)}: {_ADVICE}"
    joined = next((own for own, plain_name in zip(header, plain, strict=True) if plain_name in _ONE_CELL), None)
    if name in CORNERS and joined is not None:
        return (
            f"no column for {name}; the column {quoted(joined)} may hold all four numbers of a box in one cell: write "
            "them into four columns xmin, ymin, xmax, ymax (of x, y, width, height: x, y, x + width, y + height)"
        )
    wanted = columns.get(name)
    configured = f", which ingest.columns calls {wanted!r}" if wanted else ""
    return (
        f"no column for {name}{configured}; found the columns {shortened(', '.join(header), 300)}. "
        f"Name it in params.yaml, ingest.columns: {{{name}: THEIR_NAME}}"
    )


def _numbers(cells: Sequence[str]) -> bool:
    return all(finite_number(text) is not None for text in cells)


def _is_value(cell: str) -> bool:
    """Whether it is what rows hold, and no name of a column."""
    return finite_number(cell) is not None or _is_image(cell)


def _is_image(cell: str) -> bool:
    return PurePosixPath(cell).suffix.lower() in FORMAT_OF_SUFFIX
