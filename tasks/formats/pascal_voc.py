"""Pascal VOC XML: one file an image.

Coordinates are read as absolute pixels, as written: VOC's own files count from 1, most tools' from 0, and no file
declares which. A width or height that is missing or not above 0 is read as 0, unknown. VOC has no `iscrowd`.
Files come from strangers: entities, DTDs, the network and huge trees are off.
"""

import math
from pathlib import Path, PurePosixPath

from lxml import etree
from tqdm import tqdm

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import MAX_OBJECTS, AnnotatedImage, Dataset, Problem, flags
from tasks.dataset.problem_kinds import object_name
from tasks.errors import FormatError
from tasks.formats.annotation_names import annotation_names
from tasks.formats.foreign import foreign_kind
from tasks.ground.files import read_small, replacing
from tasks.ground.numbers import finite_number, side_px
from tasks.ground.text import quoted
from tasks.ground.walk import files_below

MAX_BYTES = 10_000_000
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc_folder(folder: Path) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images of all XML files below `folder`, in the order of their paths; a file that is not VOC is a problem."""
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for path in tqdm(voc_files(folder), desc="annotations", unit="file"):
        try:
            image, faults = read_voc(path)
        except FormatError as error:
            problems.append(Problem("unreadable_annotation", path.as_posix(), str(error), "dropped_image"))
        else:
            images.append(image)
            problems.extend(faults)
    return images, problems


def voc_files(folder: Path) -> list[Path]:
    """The XML files below `folder`, sorted, as `files_below` finds them."""
    return [path for path in files_below(folder) if path.suffix.lower() == ".xml"]


def read_voc(path: Path) -> tuple[AnnotatedImage, list[Problem]]:
    """One annotation file, and a problem for each object in it that has no readable box.

    `file_name` is as in the file, empty where it has none: the image has yet to be found. A box that could not be read
    is NaN.

    Raises:
        FormatError: not XML, not VOC, too large, with too many objects, or with a document type declaration.
    """
    root = _parse(path)
    rows: list[list[float]] = []
    names: list[str] = []
    difficult: list[bool] = []
    problems: list[Problem] = []
    entries = root.findall("object")
    if len(entries) > MAX_OBJECTS:
        raise FormatError(f"{path}: {len(entries)} objects; at most {MAX_OBJECTS} are read of one image")
    for number, entry in enumerate(entries, start=1):
        name = _text(entry, "name")
        try:
            rows.append(_corners(entry))
        except ValueError as error:
            detail = f"{object_name(number, name)}: {error}"
            problems.append(Problem("unreadable_object", path.as_posix(), detail, "dropped_box"))
            rows.append([math.nan] * 4)
        names.append(name)
        difficult.append(_text(entry, "difficult").lower() in {"1", "true"})
    image = AnnotatedImage(
        file_name=_text(root, "filename"),
        width=side_px(_text(root, "size/width")),
        height=side_px(_text(root, "size/height")),
        boxes=as_boxes(rows),
        classes=tuple(names),
        difficult=flags(len(names), difficult),
        iscrowd=flags(len(names)),
        source=path.as_posix(),
    )
    return image, problems


def write_voc(image: AnnotatedImage, path: Path) -> None:
    """Write `image` as VOC XML; `read_voc` gives it back, but for `iscrowd`, `sha256` and the folder of `file_name`."""
    where = PurePosixPath(image.file_name)
    root = etree.Element("annotation")
    _add(root, "folder", where.parent.name)
    _add(root, "filename", where.name)
    size = etree.SubElement(root, "size")
    for tag, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        _add(size, tag, str(value))
    for box, name, difficult in zip(image.boxes, image.classes, image.difficult, strict=True):
        entry = etree.SubElement(root, "object")
        _add(entry, "name", name)
        # Nothing is known of these two, but readers such as the OD API's converter fail without them.
        _add(entry, "pose", "Unspecified")
        _add(entry, "truncated", "0")
        _add(entry, "difficult", str(int(difficult)))
        bndbox = etree.SubElement(entry, "bndbox")
        for tag, value in zip(_CORNERS, box.tolist(), strict=True):
            _add(bndbox, tag, str(int(value)) if value.is_integer() else repr(value))
    with replacing(path) as beside:
        beside.write_bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True))


def write_voc_folder(dataset: Dataset, folder: Path) -> None:
    """Write one file an image, in the folders that the images have below `root`.

    Raises:
        FormatError: two images would have the same file, or XML cannot hold a name.
    """
    names = annotation_names(dataset, ".xml")
    with replacing(folder) as beside:
        beside.mkdir()
        for image, name in zip(dataset.images, names, strict=True):
            try:
                write_voc(image, beside / name)
            except ValueError as error:
                raise FormatError(f"{image.file_name}: XML cannot hold its name or a class's: {error}") from error


def _parse(path: Path) -> etree._Element:
    # Comments are removed while parsing: one inside a number would cut it to its first digits.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    content = read_small(path, MAX_BYTES, "a Pascal VOC file")
    try:
        tree = etree.ElementTree(etree.fromstring(content, parser))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FormatError(f"{path}: not XML ({error}); expected a Pascal VOC file") from error
    if tree.docinfo.internalDTD is not None:
        raise FormatError(f"{path}: declares a document type or entities, which annotations never need; remove them")
    root = tree.getroot()
    if root.tag != "annotation":
        foreign = foreign_kind(path)
        if foreign:
            raise FormatError(f"{path}: {foreign}")
        raise FormatError(f"{path}: the outermost element is <{root.tag}>; Pascal VOC has <annotation>")
    return root


def _corners(entry: etree._Element) -> list[float]:
    count = len(entry.findall("bndbox"))
    if count != 1:
        raise ValueError("no <bndbox>" if count == 0 else f"{count} <bndbox> elements; an object has one")
    corners = []
    for tag in _CORNERS:
        text = _text(entry, f"bndbox/{tag}")
        value = finite_number(text)
        if value is None:
            raise ValueError(f"{tag} is {quoted(text)}, not a number")
        corners.append(value)
    return corners


def _text(element: etree._Element, where: str) -> str:
    return (element.findtext(where) or "").strip()


def _add(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text
